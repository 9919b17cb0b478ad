/**
 * Gathers a diagnosis. Each source may fail by itself: the manifest says which did and why.
 */
import { envoyPathOf } from "../../config/sources/environment.ts";
import { unusableCode } from "../../command/exit-codes.ts";
import { lstatSync, readdirSync, readFileSync, type Stats } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { AgentLocation } from "../../config/agent-location.ts";
import { paths } from "../../config/sources/paths.ts";
import { readConfigFile } from "../../config/sources/read-sources.ts";
import { snapshotAdmin, snapshotPages } from "../../envoy/exits/admin-snapshot.ts";
import { CgroupMemory } from "../../envoy/exits/cgroup-memory.ts";
import { activeBootstrapName, lastGoodName, recorderName } from "../../envoy/generation/layout.ts";
import { findEnvoy } from "../../envoy/binary/ensure.ts";
import { readRegularFile } from "../../files/read-regular-file.ts";
import { runCommand } from "../../process/command.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { Deadline } from "../../lifecycle/timer.ts";
import { AgentClient } from "../../status/client.ts";
import { exchangesRoute } from "../../xdsproxy/report/exchanges-route.ts";
import { logRoute } from "../../status/routes/log.ts";
import { briefScrape, scrapeRoute } from "../../scrape/scrape-route.ts";
import { readinessRoute } from "../../status/routes/readiness.ts";
import { reportRoute } from "../../status/routes/report.ts";
import { environmentOf } from "../agent-environment.ts";
import type { Arguments, CommandContext } from "../../command/command.ts";
import { locate } from "../../beside/find-agent.ts";
import { privateContext } from "../../beside/private-context.ts";
import { version } from "../../command/version.ts";
import { Bundle } from "../../beside/bundle/bundle.ts";
import { describeEnvironment } from "./environment.ts";
import { agentPid, processTable } from "./process-table.ts";
import { summaryLines } from "./summary.ts";
import { destinationOf, writeTo } from "../../beside/bundle/write.ts";
import type { Finding } from "../../doctor/finding.ts";
import { lookAtAgent } from "../status/look.ts";

/** Longest wait for one answer, in milliseconds. */
const timeoutMs = 3_000;
/** Longest wait for a program to say its version, in milliseconds: a tenth of a processor takes seconds to load Envoy. */
const programMs = 15_000;
/** Longest answer and longest file that is taken, in bytes. */
const maxBytes = 32 * 2 ** 20;

/** Exit code when nobody takes the archive. */
const notWrittenCode = 1;

/** Exit code 0 when the archive is written, however little there was to put into it. */
export async function runDiagnose(args: Arguments, given: CommandContext): Promise<number> {
  const at = new Date();
  const located = locate(args, given);
  if (located === undefined) return unusableCode;
  const agent = agentPid(located.statusPort);
  const env = (agent === undefined ? undefined : environmentOf(agent)) ?? given.env;
  const { context, redactor, readFile } = privateContext(given, env);
  // Once more, to learn what is secret in them.
  const location = locate(args, context, readFile) ?? located;
  for (const path of secretPlaces(location)) readFile(path);
  redactor.learn([paths.token, "/var/run/secrets/kubernetes.io/serviceaccount/token"].flatMap(contentOf));
  const bundle = new Bundle(redactor.values);
  const name = `outrider-diagnose-${at.toISOString().replaceAll(/[-:]|\.\d+/g, "")}`;
  const destination = destinationOf(args.optionalString("output"), name, location.configPath);

  const parts: readonly (readonly [name: string, add: () => Promise<void>])[] = [
    ["versions.json", () => addVersions(bundle, args, context)],
    ["agent/environment.txt", () => bundle.add("agent/environment.txt", describeEnvironment(env))],
    ["agent", () => addLiveState(bundle, location)],
    ["config", () => addFolder(bundle, location.configPath)],
    ["system", () => addProcesses(bundle, location, agent)],
    // Looking goes to the agent's own folder, and so comes last.
    ["SUMMARY", () => addSummary(bundle, args, given, location, at)],
  ];
  for (const [part, add] of parts) {
    await add().catch((error: unknown) => {
      bundle.miss(part, errorMessage(error));
    });
  }
  const written = await writeTo(destination, name, bundle.files(`outrider ${version}`, at), at);
  if (written.kind === "failed") {
    context.printError(written.words);
    return notWrittenCode;
  }
  if (written.path !== "-") context.print(written.path);
  return 0;
}

/** What doctor finds, and a page that reads in a minute. */
async function addSummary(
  bundle: Bundle,
  args: Arguments,
  given: CommandContext,
  location: AgentLocation,
  at: Date,
): Promise<void> {
  const look = await lookAtAgent(location.statusPort, given.shutdown).catch((error: unknown) => ({
    reason: errorMessage(error),
  }));
  const findings = await findingsFor(args, given).catch((error: unknown) => {
    bundle.miss("doctor.json", errorMessage(error));
    return undefined;
  });
  if (findings !== undefined) await bundle.add("doctor.json", JSON.stringify(findings, undefined, 2));
  await bundle.add("SUMMARY", `${summaryLines(look, findings, at).join("\n")}\n`);
}

/** As `outrider doctor` with the same agent. */
async function findingsFor(args: Arguments, given: CommandContext): Promise<readonly Finding[] | undefined> {
  const [{ doctorCommand }, { parseCommandLine }, { programOf }, { examineAgent }] = await Promise.all([
    import("../doctor.ts"),
    import("../../command/parse.ts"),
    import("../program.ts"),
    import("../examine.ts"),
  ]);
  const named = args.optionalString("name");
  const words = [doctorCommand.name, ...(named === undefined ? [] : ["--name", named])];
  const invocation = await parseCommandLine(words, programOf([doctorCommand]));
  if (invocation.kind !== "run") return undefined;
  return (await examineAgent(invocation.args, given))?.findings;
}

/** What a running Envoy was given, and what that came from. */
function secretPlaces({ configPath }: AgentLocation): readonly string[] {
  return [
    ...[activeBootstrapName, lastGoodName].map((name) => join(configPath, name)),
    ...[paths.podAnnotations, paths.podLabels],
  ];
}

function contentOf(path: string): string[] {
  const content = readConfigFile(path);
  return content.kind === "read" ? [content.text] : [];
}

async function addVersions(bundle: Bundle, args: Arguments, context: CommandContext): Promise<void> {
  const located = findEnvoy({
    binaryPath: args.optionalString("binaryPath"),
    envoyPath: envoyPathOf(context.env),
    env: context.env,
  });
  const envoy =
    located.kind === "found"
      ? { path: located.path, source: located.source, ...(await envoyVersions(located.path)) }
      : located;
  const { node, openssl, uv } = process.versions;
  const system = { kernel: release(), architecture: process.arch, uid: process.getuid?.() };
  await bundle.add("versions.json", JSON.stringify({ outrider: version, node, openssl, uv, system, envoy }));
}

async function envoyVersions(path: string): Promise<{ version: string; hotRestartVersion: string }> {
  const [told, hotRestartVersion] = await Promise.all([
    outputOf(path, "--version"),
    outputOf(path, "--hot-restart-version"),
  ]);
  return { version: told, hotRestartVersion };
}

async function outputOf(file: string, flag: string): Promise<string> {
  using deadline = new Deadline(programMs);
  const { output } = await runCommand({ file, args: [flag], signal: deadline.signal });
  return output.join("\n") || `no answer to ${flag}`;
}

async function addLiveState(bundle: Bundle, location: AgentLocation): Promise<void> {
  const agent = AgentClient.onPort(location.statusPort);
  for (const [file, route] of [
    ["status.json", reportRoute],
    ["ready.txt", readinessRoute],
    ["metrics.txt", scrapeRoute],
    ["log.json", logRoute],
    ["xds.json", exchangesRoute],
  ] as const) {
    const name = `agent/${file}`;
    if (location.statusPort === 0) bundle.miss(name, "the agent has no status port (statusPort: 0)");
    else {
      await bundle.tryAdd(name, async () => {
        const { status, text } = await agent.answer(
          route,
          route === scrapeRoute ? briefScrape : { withinMs: timeoutMs },
        );
        return status === 200 ? text : `HTTP ${status}\n${text}`;
      });
    }
  }
  const pages = {
    ...snapshotPages,
    "certs.json": "/certs",
    "memory.json": "/memory",
    "init_dump.json": "/init_dump",
  };
  const admin = { host: "127.0.0.1", port: location.adminPort };
  for await (const page of snapshotAdmin(admin, { maxBytes, timeoutMs, secrets: [], pages })) {
    const name = `envoy/${page.file}`;
    if (page.kind === "text") await bundle.add(name, page.text);
    else bundle.miss(name, page.reason);
  }
}

/** The folder of the bootstraps, the last good one and the flight recorder's records. */
async function addFolder(bundle: Bundle, configPath: string): Promise<void> {
  let names: string[];
  try {
    names = readdirSync(configPath, { recursive: true, encoding: "utf8" }).toSorted();
  } catch (error) {
    bundle.miss("config", errorMessage(error));
    return;
  }
  const listing: string[] = [];
  for (const name of names) {
    const path = join(configPath, name);
    let entry: Stats | undefined;
    try {
      entry = lstatSync(path, { throwIfNoEntry: false });
    } catch (error) {
      // A folder of another user may be listed and not looked into.
      bundle.miss(`config/${name}`, errorMessage(error));
    }
    if (entry === undefined) continue;
    listing.push(
      `${(entry.mode & 0o7777).toString(8).padStart(4, "0")} ${String(entry.uid).padStart(5)} ` +
        `${String(entry.size).padStart(10)} ${entry.mtime.toISOString()} ${name}\n`,
    );
    if (!entry.isFile() || !/\.(?:json|log|txt|gz)$/.test(name)) continue;
    const target = name.startsWith(`${recorderName}/`) ? name : `config/${name}`;
    if (entry.size > maxBytes) bundle.miss(target, `it has ${entry.size} bytes`);
    else {
      await bundle.tryAdd(target.replace(/\.gz$/, ""), () => {
        // What others may have laid there must not lead elsewhere.
        const bytes = readRegularFile(path, { maxBytes, noLink: true });
        return (name.endsWith(".gz") ? gunzipSync(bytes, { maxOutputLength: maxBytes }) : bytes).toString(
          "utf8",
        );
      });
    }
  }
  await bundle.add("config/files.txt", listing.join(""));
  for (const expected of [activeBootstrapName, lastGoodName]) {
    if (!names.includes(expected)) bundle.miss(`config/${expected}`, "there is none");
  }
  if (!names.includes(recorderName)) bundle.miss(recorderName, "there is none");
}

async function addProcesses(
  bundle: Bundle,
  location: AgentLocation,
  agent: number | undefined,
): Promise<void> {
  const who = agent ?? "self";
  if (agent === undefined) {
    bundle.miss(
      "agent",
      `no process listens on the status port ${location.statusPort}: limits, mounts and cgroup are this command's`,
    );
  }
  const { statusPort, configPath } = location;
  await bundle.tryAdd("system/processes.json", () =>
    JSON.stringify(processTable({ statusPort, configPath, cwd: process.cwd() })),
  );
  await bundle.tryAdd("system/cgroup.json", () => {
    const memory = CgroupMemory.find(agent === undefined ? {} : { pid: agent });
    return JSON.stringify({ ...memory.located, figures: memory.figures(), oomKills: memory.oomKills() });
  });
  for (const [name, file] of [
    ["limits.txt", "limits"],
    ["mounts.txt", "mountinfo"],
    ["cgroup.txt", "cgroup"],
  ] as const) {
    await bundle.tryAdd(`system/${name}`, () => readFileSync(`/proc/${who}/${file}`, "utf8"));
  }
  await bundle.tryAdd("system/memory.txt", () => readFileSync("/proc/meminfo", "utf8"));
}
