/** One incident: what breaks, by which words it is found, and what mends it. */
import { statusLines } from "../../src/cli/status/lines.ts";
import { lookAtAgent } from "../../src/cli/status/look.ts";
import { errorMessage } from "../../src/lifecycle/error-message.ts";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { get, type TestSidecar } from "../support/mesh.ts";
import { runOutrider } from "../support/outrider.ts";

/** Where the cause is looked for. */
export const places = ["status", "log", "metric", "doctor"] as const;

/** One of them. */
export type Place = (typeof places)[number];

/** A scene in which nothing is wrong yet. */
export interface Scene {
  /** The agent of the moment: a remedy may be another one. Undefined before the first. */
  readonly sidecar: () => TestSidecar;
  /** Resolves at the moment at which it is broken. */
  readonly breakIt: () => Promise<unknown>;
  /** What goes on meanwhile, such as calls. */
  readonly goOn?: () => Promise<unknown>;
  readonly mend: () => Promise<unknown>;
  /** Throws until all is well again; an agent that is ready without a problem unless told. */
  readonly isWell?: () => Promise<unknown>;
}

/** What is measured. */
export interface Incident {
  readonly name: string;
  /** The words by which each place names the cause; one that is left out cannot, as no agent runs. */
  readonly signs: Readonly<Partial<Record<Place, RegExp>>>;
  readonly open: (stack: AsyncDisposableStack) => Promise<Scene>;
}

/** What became of it; times in seconds, undefined where it never came. */
export interface Measured {
  readonly name: string;
  readonly found: Readonly<
    Partial<Record<Place, { readonly afterS: number | undefined; readonly line: string }>>
  >;
  readonly healedS: number | undefined;
}

/** How long a sign, and the healing, is waited for, in milliseconds. */
const patienceMs = 75_000;

const seconds = (since: number): number => Math.round((performance.now() - since) / 100) / 10;

/** Break it, look for it everywhere, mend it. */
export async function measure({ name, signs, open }: Incident): Promise<Measured> {
  await using stack = new AsyncDisposableStack();
  const scene = await open(stack);
  await scene.breakIt();
  const brokenAt = performance.now();
  const looks: Readonly<Record<Place, () => Promise<readonly string[]>>> = {
    status: () => statusOf(scene.sidecar()),
    log: () => Promise.resolve(scene.sidecar().agent.lines),
    metric: () => metricsOf(scene.sidecar()),
    doctor: () => doctorOf(scene.sidecar()),
  };
  const over = new AbortController();
  const goingOn = repeat(scene.goOn, over.signal);
  const found = Object.fromEntries(
    await Promise.all(
      places.flatMap((place) => {
        const sign = signs[place];
        return sign === undefined ? [] : [lookFor(sign, looks[place], brokenAt).then((one) => [place, one])];
      }),
    ),
  ) as Measured["found"];
  const mendedAt = performance.now();
  await scene.mend();
  const healedS = await until(scene.isWell ?? (() => isWell(scene.sidecar())), mendedAt);
  over.abort();
  await goingOn;
  return { name, found, healedS };
}

async function repeat(action: Scene["goOn"], signal: AbortSignal): Promise<void> {
  if (action === undefined) return;
  while (!signal.aborted) {
    await action().catch(() => undefined);
    await sleep(200, signal);
  }
}

async function lookFor(
  sign: RegExp,
  look: () => Promise<readonly string[]>,
  since: number,
): Promise<{ readonly afterS: number | undefined; readonly line: string }> {
  let last: readonly string[] = [];
  do {
    last = await look().catch((error: unknown) => [errorMessage(error)]);
    const line = last.find((one) => sign.test(one));
    if (line !== undefined) return { afterS: seconds(since), line };
    await sleep(200);
  } while (performance.now() - since < patienceMs);
  console.error(`${String(sign)} was not found in:\n${last.slice(-25).join("\n")}`);
  return { afterS: undefined, line: "" };
}

async function until(check: () => Promise<unknown>, since: number): Promise<number | undefined> {
  let last: unknown;
  do {
    try {
      await check();
      return seconds(since);
    } catch (error) {
      last = error;
      await sleep(200);
    }
  } while (performance.now() - since < patienceMs);
  console.error(`not healed: ${errorMessage(last)}`);
  return undefined;
}

/** Ready; what has happened is still told for a while. */
export async function isReady(sidecar: TestSidecar): Promise<void> {
  const { ready, reason } = await sidecar.report();
  if (!ready) throw new Error(reason);
}

/** Ready, and nothing is said to be wrong. */
export async function isWell(sidecar: TestSidecar): Promise<void> {
  const { ready, reason, problems = [] } = await sidecar.report();
  if (!ready || problems.length > 0) throw new Error(reason ?? JSON.stringify(problems));
}

async function statusOf(sidecar: TestSidecar): Promise<readonly string[]> {
  const look = await lookAtAgent(sidecar.ports.status, new AbortController().signal);
  return statusLines({ ...look, log: look.log.slice(-10) }, new Date());
}

async function metricsOf(sidecar: TestSidecar): Promise<readonly string[]> {
  return (await get(sidecar.ports.status, "/stats/prometheus")).body.toString("utf8").split("\n");
}

async function doctorOf({ folder, env }: TestSidecar): Promise<readonly string[]> {
  const { output } = await runOutrider({ args: ["doctor"], cwd: folder, env, withinMs: 30_000 });
  return output.split("\n").filter((line) => !line.startsWith("✔"));
}
