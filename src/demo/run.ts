/**
 * Runs the demo mesh: once through the checks, or until it is asked to stop.
 */
import { resolve } from "node:path";
import { unusableCode } from "../command/exit-codes.ts";
import { envoyPathOf } from "../config/sources/environment.ts";
import { runtimeFolderHere } from "../config/runtime-folder.ts";
import { userStateFolder } from "../config/state-folder.ts";
import { ensureEnvoy } from "../envoy/binary/ensure.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { sleep } from "../lifecycle/sleep.ts";
import type { Arguments, CommandContext } from "../command/command.ts";
import { progressLine } from "../command/progress-line.ts";
import { describeChanges } from "./changes.ts";
import { folderProblems } from "./folders.ts";
import { demoChecks } from "./checks.ts";
import { type Call, tryCalls } from "./calls.ts";
import { contentOf, keepFolder, rememberedPorts } from "./configuration-folder.ts";
import { announceControlPlane } from "../status/control-plane-announcement.ts";
import { readSystemVariables } from "../schema/system-variables.ts";
import { ticks } from "../lifecycle/tick.ts";
import { callThrough } from "./demo-app.ts";
import { DemoMesh } from "./demo-mesh.ts";
import { serviceHost } from "./mesh-config.ts";
import { pageUrl } from "./mesh-page.ts";
import { serveMeshPage } from "./mesh-page-server.ts";
import { drawMesh, type MeshEvent, mostScrolled } from "./picture.ts";
import { completePorts, parsePorts, takenPorts } from "./ports.ts";
import { Screen } from "../command/screen.ts";
import { type MeshState, noRequests, observe, type RequestState, withRequest } from "./state.ts";

const requestTimeoutMs = 5_000;
const frameMs = 250;

/** Between two looks at who may call whom, in milliseconds. */
const callsMs = 2_000;

/** Resolves to the exit code. */
export async function runUp(args: Arguments, context: CommandContext): Promise<number> {
  const choice = parsePorts(args.string("ports"));
  const configFolder = args.optionalString("configDir");
  const stateDir = args.optionalString("stateDir") ?? userStateFolder(context.env);
  const remembered = configFolder === undefined ? undefined : rememberedPorts(configFolder);
  const given =
    choice.kind === "invalid" ? undefined : new Map([...(remembered?.ports ?? []), ...choice.ports]);
  const problems = [
    ...(choice.kind === "invalid" ? choice.problems : takenPorts(given ?? choice.ports, remembered?.apps)),
    ...folderProblems(configFolder, stateDir),
  ];
  const intervalMs = args.number("intervalMs");
  if (choice.kind === "invalid" || problems.length > 0 || !(intervalMs >= 1)) {
    const wrongInterval =
      intervalMs >= 1 ? [] : ["--intervalMs: must be a number of milliseconds, at least 1"];
    for (const problem of [...problems, ...wrongInterval]) context.printError(problem);
    return unusableCode;
  }
  try {
    const progress = progressLine("fetching Envoy", context);
    const envoyBinary = await ensureEnvoy(
      {
        binaryPath: args.optionalString("binaryPath"),
        envoyPath: envoyPathOf(context.env),
        env: context.env,
        signal: context.shutdown,
      },
      progress.update,
    ).finally(progress.end);
    await using mesh = await DemoMesh.start({
      ports: await completePorts(given ?? choice.ports, context.pid),
      configFolder,
      apps: remembered?.apps,
      stateDir,
      version: context.program.version,
      envoyBinary,
      self: context.self,
      env: context.env,
      hurry: context.hurry,
    });
    const { "control-plane.http": httpPort, "control-plane.tls": secureGrpcPort } = mesh.ports;
    const where = {
      pid: context.pid,
      httpPort,
      secureGrpcPort,
      configFolder: resolve(mesh.configFolder),
      pagePort: mesh.ports.page,
    };
    // Without it outriderctl has to be told the ports.
    using _announced = announceControlPlane(runtimeFolderHere(context.env), where, () => undefined);
    const before = contentOf(mesh.configFolder);
    const code = args.boolean("once")
      ? await runChecks(mesh, context)
      : await showUntilStopped(mesh, context, intervalMs);
    if (configFolder === undefined && contentOf(mesh.configFolder) !== before) {
      const kept = keepFolder(mesh.configFolder, stateDir, new Date());
      context.print(`your edits are kept: outrider up --configDir ${kept}`);
    }
    return code;
  } catch (error) {
    for (const line of errorMessage(error).split("\n")) context.printError(line);
    return 1;
  }
}

async function runChecks(mesh: DemoMesh, context: CommandContext): Promise<number> {
  let failed = 0;
  for (const { name, run } of demoChecks(mesh, context.shutdown)) {
    if (context.shutdown.aborted) break;
    const { isPassed, detail } = await run();
    if (!isPassed) failed += 1;
    context.print(`${isPassed ? "✔" : "✖"} ${name}: ${detail}`);
  }
  if (context.shutdown.aborted) return 1;
  context.print(failed === 0 ? "every check passed" : `${failed} checks failed`);
  return failed === 0 ? 0 : 1;
}

async function showUntilStopped(
  mesh: DemoMesh,
  context: CommandContext,
  intervalMs: number,
): Promise<number> {
  let requests: RequestState = noRequests;
  const stop = AbortSignal.any([context.shutdown, mesh.tasks.signal]);
  const request = async (): Promise<void> => {
    await bothReady(mesh, stop);
    while (!stop.aborted) {
      const result = await callThrough(mesh.ports["web.outbound"], serviceHost("api"), requestTimeoutMs);
      requests = withRequest(requests, result, performance.now());
      await sleep(intervalMs, stop);
    }
  };
  await using _page = await serveMeshPage(mesh.ports.page, () => observe(mesh, requests), mesh);
  const isDumb = readSystemVariables(context.env).TERM === "dumb";
  const show = context.terminal === undefined || isDumb ? printChanges : drawPicture;
  await Promise.all([show(mesh, { ...context, shutdown: stop }, () => requests), request()]);
  if (mesh.tasks.failure !== undefined) throw mesh.tasks.failure;
  context.print(`stopping: ${requests.succeeded} requests good, ${requests.failed} bad`);
  return 0;
}

/** Requests before that would only show that the mesh is still starting. */
async function bothReady(mesh: DemoMesh, shutdown: AbortSignal): Promise<void> {
  const isReady = async (): Promise<boolean> => {
    const { sidecars } = await observe(mesh, noRequests);
    return sidecars.every(({ report }) => report?.ready === true);
  };
  while (!shutdown.aborted && !(await isReady())) await sleep(frameMs, shutdown);
}

/** Of the mesh, and of each sidecar. */
function pageUrls({ ports }: DemoMesh): readonly string[] {
  return [ports.page, ports["web.status"], ports["api.status"]].map(pageUrl);
}

async function printChanges(
  mesh: DemoMesh,
  context: CommandContext,
  requests: () => RequestState,
): Promise<void> {
  context.print(`configuration: ${mesh.configFolder}`);
  context.print(`pages: ${pageUrls(mesh).join(" ")}`);
  context.print(`logs: ${mesh.sidecars.map(({ logPath }) => logPath).join(" ")}`);
  let previous: MeshState | undefined;
  while (!context.shutdown.aborted) {
    const state = await observe(mesh, requests());
    for (const line of describeChanges(previous, state)) context.print(line);
    previous = state;
    await sleep(frameMs, context.shutdown);
  }
}

/** Keys that scroll the list, by how many lines up. */
const scrollKeys: Readonly<Record<string, number>> = {
  "\u001B[A": 1,
  "\u001B[B": -1,
  "\u001B[5~": 10,
  "\u001B[6~": -10,
  k: 1,
  j: -1,
};

const mostEvents = 200;

async function drawPicture(
  mesh: DemoMesh,
  context: CommandContext,
  requests: () => RequestState,
): Promise<void> {
  if (context.terminal === undefined) return;
  using screen = new Screen(context.terminal);
  const { configFolder, folder: logFolder } = mesh;
  const colour = readSystemVariables(context.env).NO_COLOR === "";
  let previous: MeshState | undefined;
  let events: readonly MeshEvent[] = [];
  let calls: readonly Call[] = [];
  let scrolled = 0;
  const redraw = (): void => {
    if (previous === undefined) return;
    const { columns, rows } = screen;
    const around = { columns, rows, colour, now: new Date(), configFolder, logFolder };
    const picture = { ...around, pages: pageUrls(mesh), calls, events, scrolled };
    scrolled = Math.min(scrolled, mostScrolled(previous, picture));
    screen.draw(drawMesh(previous, { ...picture, scrolled }));
  };
  using _keys = context.terminal.keys((key) => {
    scrolled = Math.max(0, scrolled + (scrollKeys[key] ?? 0));
    redraw();
  });
  mesh.tasks.spawn("try-calls", async (signal) => {
    for await (const _ of ticks(callsMs, signal)) calls = await tryCalls(mesh.ports);
  });
  while (!context.shutdown.aborted) {
    const state = await observe(mesh, requests());
    const at = new Date();
    const news = describeChanges(previous, state).map((text) => ({ at, text }));
    events = [...events, ...news].slice(-mostEvents);
    previous = state;
    redraw();
    await sleep(frameMs, context.shutdown);
  }
}
