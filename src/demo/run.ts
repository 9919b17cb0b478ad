/**
 * Runs the demo mesh: once through the checks, or until it is asked to stop.
 */
import { unusableCode } from "../command/exit-codes.ts";
import { envoyPathOf } from "../config/sources/environment.ts";
import { userStateFolder } from "../config/state-folder.ts";
import { ensureEnvoy } from "../envoy/binary/ensure.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { sleep } from "../lifecycle/sleep.ts";
import type { Arguments, CommandContext } from "../command/command.ts";
import { progressLine } from "../command/progress-line.ts";
import { describeChanges } from "./changes.ts";
import { folderProblems } from "./folders.ts";
import { demoChecks } from "./checks.ts";
import { callThrough } from "./demo-app.ts";
import { DemoMesh } from "./demo-mesh.ts";
import { serviceHost } from "./mesh-config.ts";
import { pageUrl } from "./mesh-page.ts";
import { serveMeshPage } from "./mesh-page-server.ts";
import { drawMesh } from "./picture.ts";
import { completePorts, parsePorts, takenPorts } from "./ports.ts";
import { Screen } from "../command/screen.ts";
import { type MeshState, noRequests, observe, type RequestState, withRequest } from "./state.ts";

const requestTimeoutMs = 5_000;
const frameMs = 250;

/** Resolves to the exit code. */
export async function runUp(args: Arguments, context: CommandContext): Promise<number> {
  const choice = parsePorts(args.string("ports"));
  const configFolder = args.optionalString("configDir");
  const stateDir = args.optionalString("stateDir") ?? userStateFolder(context.env);
  const problems = [
    ...(choice.kind === "invalid" ? choice.problems : takenPorts(choice.ports)),
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
      ports: await completePorts(choice.ports, context.pid),
      configFolder,
      stateDir,
      envoyBinary,
      self: context.self,
      env: context.env,
      hurry: context.hurry,
    });
    return args.boolean("once")
      ? await runChecks(mesh, context)
      : await showUntilStopped(mesh, context, intervalMs);
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
  const show = context.terminal === undefined ? printChanges : drawPicture;
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

async function drawPicture(
  mesh: DemoMesh,
  context: CommandContext,
  requests: () => RequestState,
): Promise<void> {
  if (context.terminal === undefined) return;
  using screen = new Screen(context.terminal);
  while (!context.shutdown.aborted) {
    const state = await observe(mesh, requests());
    const { configFolder, folder: logFolder } = mesh;
    const around = { columns: screen.columns, now: new Date(), configFolder, logFolder };
    screen.draw(drawMesh(state, { ...around, pages: pageUrls(mesh) }));
    await sleep(frameMs, context.shutdown);
  }
}
