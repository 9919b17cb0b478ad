/**
 * `outrider proxy`: the agent, with pilot-agent's flags.
 */
import { join } from "node:path";
import type { AgentConfig } from "../config/agent-config.ts";
import type { ProxyFlags } from "../config/sources/proxy-flags.ts";
import { describeProblem } from "../schema/config-problem.ts";
import { parseDurationMs } from "../schema/duration.ts";
import { closeWithin } from "../lifecycle/close-within.ts";
import { pilotFlags } from "../config/sources/pilot-flags.ts";
import { anyDuration, portsOrNone, someDuration, workers } from "../schema/range.ts";
import type { LookOptions } from "../config/surroundings.ts";
import type { SupervisionEnd } from "../envoy/state.ts";
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { identityFlags, readIdentityFlags } from "./identity-flags.ts";
import { logFlags, readLogFlags } from "./log-flags.ts";
import { stoppedCode } from "./stopped-code.ts";
import { readSupervisionFlags, supervisionFlags } from "./supervision-flags.ts";
import { version } from "./version.ts";

/** Exit codes of the agent; a spent restart budget passes Envoy's own code on. */
const exitCodes = { drained: 0, failed: 1, configurationUnusable: 64 } as const;

/** How long the parts of the agent may take to close once Envoy is gone, in milliseconds. */
const closeMs = 5_000;

/** How long a pod's network may take to get an address, in milliseconds. */
const addressesMs = 120_000;

/** Runs until it is asked to stop. */
export const proxyCommand: Command = {
  name: "proxy",
  usage: "[type]",
  describe: "Run the sidecar or gateway: identity, xDS, SDS and Envoy.",
  hangup: "reload",
  allowUnknown: true,
  flags: {
    domain: { type: "string", describe: "DNS domain suffix (default ${POD_NAMESPACE}.svc.cluster.local)." },
    meshConfig: {
      type: "string",
      default: "./etc/istio/config/mesh",
      describe: "Istio mesh config file, if any.",
    },
    binaryPath: { type: "string", describe: "Envoy's binary." },
    serviceCluster: {
      type: "string",
      default: "istio-proxy",
      describe: "Service that this sidecar belongs to.",
    },
    proxyLogLevel: {
      type: "string",
      default: "warning",
      describe: "Envoy's log level, components included: info,misc:error.",
    },
    proxyComponentLogLevel: {
      type: "string",
      default: "",
      describe: "Envoy's component log levels, where --proxyLogLevel has none.",
    },
    outlierLogPath: { type: "string", describe: "File that Envoy writes outlier events to." },
    stsPort: {
      type: "number",
      range: portsOrNone,
      default: 0,
      describe: "Told to the control plane as STS_PORT; nothing listens.",
    },
    platformMetadataDeadline: {
      type: "string",
      range: anyDuration,
      default: "250ms",
      describe: "Longest time that a cloud's metadata service may delay Envoy; 0s does not ask it.",
    },
    "print-config": {
      type: "boolean",
      default: false,
      describe: "Print the effective ProxyConfig with the source of each value, and end.",
    },
    concurrency: {
      type: "number",
      range: workers,
      describe: "Envoy's worker threads; overrides ProxyConfig unless 0.",
    },
    templateFile: { type: "string", describe: "Bootstrap template (JSON-e) instead of the release's own." },
    parentShutdownDuration: {
      type: "string",
      range: someDuration,
      describe: "Longest life of a replaced Envoy (default drainDuration + 15s).",
    },
    ...supervisionFlags,
    ...identityFlags,
    preDrainDelay: {
      type: "string",
      range: anyDuration,
      default: "0s",
      describe: "How long Envoy serves on after SIGTERM, readiness red, before it drains.",
    },
    appSocket: {
      type: "string",
      describe:
        "Unix socket that an application holds while it lives (default <configPath>/app.sock); off for none.",
    },
    appGrace: {
      type: "string",
      range: anyDuration,
      default: "1s",
      describe: "How long nobody may hold that socket before the sidecar ends.",
    },
    xdsCache: {
      type: "boolean",
      default: true,
      describe:
        "Keep the configuration that Envoy acknowledged (<configPath>/xds-cache), for a start without control plane.",
    },
    xdsCacheAfter: {
      type: "string",
      range: anyDuration,
      default: "2s",
      describe: "How long the control plane may be gone before Envoy is served from the cache.",
    },
    wasmFolder: {
      type: "string",
      default: "/var/lib/istio/data",
      describe: "Folder for the Wasm modules that are fetched for Envoy.",
    },
    ...logFlags,
    profiling: {
      type: "boolean",
      default: true,
      describe: "Serve profiles of the agent on the status port, /debug/pprof/.",
    },
    terminationLog: {
      type: "string",
      describe:
        "File that gets the reason of a failure (default /dev/termination-log, where it can be written).",
    },
    ...Object.fromEntries(
      Object.entries(pilotFlags).map(([name, { describe }]) => [name, { type: "string", describe }] as const),
    ),
  },
  run: runProxy,
};

async function runProxy(args: Arguments, given: CommandContext): Promise<number> {
  const { privateContext } = await import("./private-context.ts");
  const { context, redactor, readFile } = privateContext(given);
  // Loaded here so that help and the other commands do not pay for the agent.
  const [{ parseConfig }, { ConfigError }, { interfaceAddresses }, { lookAround }, { ownCpus }, { openLog }] =
    await Promise.all([
      import("../config/parse-config.ts"),
      import("../schema/config-problem.ts"),
      import("../config/sources/read-sources.ts"),
      import("../config/surroundings.ts"),
      import("../process/cpu-share.ts"),
      import("./open-log.ts"),
    ]);
  const sources = { flags: proxyFlags(args), env: context.env, readFile };
  if (args.boolean("print-config")) {
    const { configLines } = await import("../config/proxy-config/print-config.ts");
    const { lines, problems } = configLines(sources);
    for (const line of lines) context.print(line);
    for (const problem of problems) context.printError(describeProblem(problem));
    return problems.length === 0 ? exitCodes.drained : exitCodes.configurationUnusable;
  }
  try {
    const surroundings = await lookAround(sources, {
      ...lookOptions(args),
      settle: {
        limitMs: addressesMs,
        signal: context.shutdown,
        onWait: () => {
          context.printError(
            `outrider waits up to ${addressesMs / 1_000} s for an address of its own; INSTANCE_IP names one at once`,
          );
        },
      },
    });
    if (context.shutdown.aborted) return stoppedEarly(context);
    const configure = (): AgentConfig =>
      parseConfig({
        ...sources,
        ...surroundings,
        interfaces: interfaceAddresses(),
        cpus: ownCpus(),
        templatePath: join(context.templates, "sidecar.yaml"),
        version,
      });
    const config = configure();
    const { log, reopen: reopenLog, lost: lostLines } = openLog(config.log, context.standard, redactor);
    log.info("outrider starts", { version, node: config.nodeId });
    if (args.unknown.length > 0) log.warn("unknown flags ignored", { flags: args.unknown.join(" ") });
    for (const reason of config.warnings) log.warn("configuration is odd", { reason });

    const [{ runAgent }, { ensureEnvoy, logProgress }] = await Promise.all([
      import("../agent/run-agent.ts"),
      import("../envoy/binary/ensure.ts"),
    ]);
    const envoyBinary =
      config.proxyless === undefined
        ? await ensureEnvoy(
            { ...config.envoyBinary, env: context.env, signal: context.shutdown },
            logProgress(log),
          )
        : undefined;
    const { promise: ended, resolve: onEnd } = Promise.withResolvers<SupervisionEnd>();
    const running = runAgent(config, {
      log,
      redactor,
      reopenLog,
      lostLines,
      pid: context.pid,
      configure,
      envoyBinary,
      onEnvoyLogLine: (line) => {
        context.standard.writer("stdout").write(`${redactor.all(line)}\n`);
      },
      shutdown: context.shutdown,
      hurry: context.hurry,
      reloadRequests: context.reloadRequests,
      reopenLogsRequests: context.reopenLogsRequests,
      init: context.init,
      onEnd,
    });
    const end = await closeWithin(running, ended, closeMs, () => {
      log.error("a part of the agent does not close, leaving without it", { afterMs: closeMs });
    });
    if (end.kind === "gave-up")
      await leaveWord([`Envoy keeps dying: ${redactor.all(end.reason)}`], args, context);
    return exitCodeOfEnd(end, context);
  } catch (error) {
    if (error instanceof ConfigError) {
      const problems = error.problems.map((problem) => redactor.known(`  ${describeProblem(problem)}`));
      await fail(["outrider cannot run with this configuration:", ...problems], args, context);
      return exitCodes.configurationUnusable;
    }
    const { errorMessage } = await import("../lifecycle/error-message.ts");
    const { EnvoyFetchError } = await import("../envoy/binary/fetch.ts");
    if (error instanceof EnvoyFetchError && context.shutdown.aborted) return stoppedEarly(context);
    if (error instanceof EnvoyFetchError) {
      await fail([`outrider has no Envoy to run: ${error.message}`], args, context);
      return exitCodes.configurationUnusable;
    }
    await fail([redactor.known(`outrider failed: ${errorMessage(error)}`)], args, context);
    return exitCodes.failed;
  }
}

/** Say it on the terminal and in the termination log. */
async function fail(lines: readonly string[], args: Arguments, context: CommandContext): Promise<void> {
  for (const line of lines) context.printError(line);
  await leaveWord(lines, args, context);
}

async function leaveWord(lines: readonly string[], args: Arguments, context: CommandContext): Promise<void> {
  const { writeTerminationLog } = await import("../files/termination-log.ts");
  const problem = writeTerminationLog(args.optionalString("terminationLog"), lines);
  if (problem !== undefined) context.printError(`the termination log ${problem}`);
}

/**
 * Who stops an agent before it has served, or does not let it drain, sees the signal, as of any program that it ends.
 * A 0 would tell the platform that the work is done: a container with restartPolicy OnFailure that a failed startup
 * probe has ended would never be started again.
 */
function exitCodeOfEnd(
  end: SupervisionEnd,
  { shutdown, hurry }: Pick<CommandContext, "shutdown" | "hurry">,
): number {
  switch (end.kind) {
    case "drained":
      return exitCodes.drained;
    case "never-served":
      return stoppedCode(shutdown);
    case "cut-short":
      return stoppedCode(hurry);
    case "gave-up":
      return end.exitCode;
  }
}

/** Asked to stop before there was an Envoy. */
function stoppedEarly({ shutdown, printError }: CommandContext): number {
  printError("outrider was asked to stop while it started");
  return stoppedCode(shutdown);
}

/** How long to look around for a look that waits for nobody; the default for what is no duration. */
export function lookOptions(args: Arguments): LookOptions {
  const ms = parseDurationMs(args.string("platformMetadataDeadline"));
  return { platformDeadlineMs: ms === undefined || ms < 0 ? 250 : ms, settle: undefined };
}

/** The flags of `proxy` as configuration reads them. */
export function proxyFlags(args: Arguments): ProxyFlags {
  return {
    proxyType: args.words[0] ?? "sidecar",
    domain: args.optionalString("domain"),
    meshConfig: args.string("meshConfig"),
    binaryPath: args.optionalString("binaryPath") || undefined,
    serviceCluster: args.string("serviceCluster"),
    proxyLogLevel: args.string("proxyLogLevel"),
    proxyComponentLogLevel: args.string("proxyComponentLogLevel"),
    concurrency: args.optionalNumber("concurrency"),
    templateFile: args.optionalString("templateFile") || undefined,
    outlierLogPath: args.optionalString("outlierLogPath") || undefined,
    stsPort: args.number("stsPort"),
    platformMetadataDeadline: args.string("platformMetadataDeadline"),
    pilot: Object.fromEntries(
      Object.keys(pilotFlags).flatMap((name) => {
        const value = args.optionalString(name);
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    parentShutdownDuration: args.optionalString("parentShutdownDuration"),
    supervision: readSupervisionFlags(args),
    identity: readIdentityFlags(args),
    preDrainDelay: args.string("preDrainDelay"),
    appSocket: args.optionalString("appSocket"),
    appGrace: args.string("appGrace"),
    xdsCache: args.boolean("xdsCache"),
    xdsCacheAfter: args.string("xdsCacheAfter"),
    wasmFolder: args.string("wasmFolder"),
    log: readLogFlags(args),
    profiling: args.boolean("profiling"),
  };
}
