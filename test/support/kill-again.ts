/** An Envoy that serves is killed, and how long it takes until its next one serves. */
import { eventually } from "./eventually.ts";
import type { TestSidecar } from "./mesh.ts";

export interface KillAgain {
  /** From the kill to the first call that came through. */
  readonly servingMs: number;
  /** What the agent chose to wait before it started the next one. */
  readonly delayMs: number;
}

/** Longest time until the next one serves, in milliseconds. */
const servingWithinMs = 30_000;

/** Kill the Envoy of a sidecar once it is proven to serve. @param call throws unless a request comes through */
export async function killServing(sidecar: TestSidecar, call: () => Promise<void>): Promise<KillAgain> {
  const pid = await eventually(
    "an Envoy that serves",
    async () => {
      const { ready, reason, envoy } = await sidecar.report();
      if (!ready || envoy.pid === undefined) throw new Error(reason);
      await call();
      return envoy.pid;
    },
    { withinMs: servingWithinMs, everyMs: 10 },
  );
  const from = sidecar.agent.lines.length;
  const killedAt = performance.now();
  process.kill(pid, "SIGKILL");
  await eventually("a call that comes through", call, { withinMs: servingWithinMs, everyMs: 5 }).catch(
    (error: unknown) => {
      throw new Error(`nobody serves:\n${sidecar.agent.lines.slice(from).join("\n")}`, { cause: error });
    },
  );
  const servingMs = Math.round(performance.now() - killedAt);
  const death = sidecar.agent.lines.slice(from).find((line) => line.includes("Envoy died, restarting it"));
  return { servingMs, delayMs: Number(/ delayMs=(\d+)/.exec(death ?? "")?.[1] ?? Number.NaN) };
}
