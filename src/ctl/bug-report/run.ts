/**
 * Gathers a report of a mesh. Each source may fail by itself: the index says which did and why.
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bundle } from "../../beside/bundle/bundle.ts";
import { destinationOf, writeTo } from "../../beside/bundle/write.ts";
import { type PrivateContext, privateContext } from "../../beside/private-context.ts";
import type { Arguments, CommandContext } from "../../command/command.ts";
import { unusableCode } from "../../command/exit-codes.ts";
import { version } from "../../command/version.ts";
import { runtimeFolderHere } from "../../config/runtime-folder.ts";
import { activeBootstrapName, lastGoodName } from "../../envoy/generation/layout.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { Deadline } from "../../lifecycle/timer.ts";
import { announcedAgents } from "../../status/announcement.ts";
import { announcedControlPlanes } from "../../status/control-plane-announcement.ts";
import { controlPlaneOf } from "../control-plane/find.ts";
import { addAgent } from "./agent.ts";
import { addAnalysis } from "./analysis.ts";
import { addControlPlane, type ControlPlaneFacts } from "./control-plane.ts";
import { indexPage } from "./index-page.ts";

/** The whole of gathering, in milliseconds. */
const withinMs = 120_000;

/** What is gathered, in bytes: what comes after is said to be missing. */
const mostBytes = 256 * 2 ** 20;

const notWrittenCode = 1;

/** Exit code 0 when the archive is written, however little there was to put into it. */
export async function runBugReport(args: Arguments, given: CommandContext): Promise<number> {
  const at = new Date();
  const here = privateContext(given);
  const { context } = here;
  const folder = runtimeFolderHere(context.env);
  const agents = announcedAgents(folder);
  learnSecrets(here, agents);
  const bundle = new Bundle(here.redactor.values);
  using deadline = new Deadline(withinMs);
  const signal = AbortSignal.any([deadline.signal, context.shutdown]);
  const facts: { controlPlane?: ControlPlaneFacts; findings?: readonly string[] | undefined } = {};

  const asked = await controlPlaneFor(args, { ...context, shutdown: signal }, bundle);
  if (asked === "unusable") return unusableCode;
  const folders = [
    args.optionalString("config") ?? announcedControlPlanes(folder).map(({ configFolder }) => configFolder),
  ].flat();
  const parts: readonly (readonly [name: string, add: () => Promise<void>])[] = [
    ["versions.json", () => bundle.add("versions.json", JSON.stringify(versions(), undefined, 2))],
    [
      "control-plane",
      async () => {
        if (asked !== undefined)
          facts.controlPlane = await addControlPlane(bundle, asked, {
            ...{ hasPages: args.optionalString("xds-address") === undefined, signal },
            isFull: () => bundle.size > mostBytes,
          });
      },
    ],
    [
      "analysis",
      async () => {
        facts.findings = await addAnalysis(bundle, folders, signal);
      },
    ],
    ...agents.map((agent) => [`agents/${agent.name}`, () => addAgent(bundle, agent, signal)] as const),
  ];
  for (const [part, add] of parts) {
    if (signal.aborted) bundle.miss(part, `not asked: ${withinMs / 1000} s were over, or it was interrupted`);
    else if (bundle.size > mostBytes)
      bundle.miss(part, `not asked: the report has ${mostBytes} bytes already`);
    else
      await add().catch((error: unknown) => {
        bundle.miss(part, errorMessage(error));
      });
  }
  const name = `outrider-bug-report-${at.toISOString().replaceAll(/[-:]|\.\d+/g, "")}`;
  const { missing } = bundle.contents;
  await bundle.add(
    "index.html",
    indexPage({ at, version, agents: agents.map((agent) => agent.name), ...facts, ...bundle.contents }),
  );
  const destination = destinationOf(args.optionalString("output"), name, tmpdir());
  const written = await writeTo(destination, name, bundle.files(`outriderctl ${version}`, at), at);
  if (written.kind === "failed") {
    context.printError(written.words.replace("the diagnosis", "the report"));
    return notWrittenCode;
  }
  for (const { name: what, reason } of missing) context.printError(`missing: ${what}: ${reason}`);
  if (written.path !== "-") context.print(written.path);
  return 0;
}

/** What an Envoy was given holds what is secret in its answers. */
function learnSecrets(
  { readFile }: PrivateContext,
  agents: readonly { readonly configPath: string }[],
): void {
  for (const { configPath } of agents)
    for (const name of [activeBootstrapName, lastGoodName]) readFile(join(configPath, name));
}

async function controlPlaneFor(
  args: Arguments,
  context: CommandContext,
  bundle: Bundle,
): Promise<Awaited<ReturnType<typeof controlPlaneOf>> | "unusable"> {
  try {
    return (await controlPlaneOf(args, context)) ?? "unusable";
  } catch (error) {
    bundle.miss("control-plane", errorMessage(error));
    return undefined;
  }
}

function versions(): object {
  const { node, openssl, uv } = process.versions;
  return { outriderctl: version, node, openssl, uv, architecture: process.arch };
}
