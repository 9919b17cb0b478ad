/** Wait for something that takes an unknown but bounded time; the last failure is what the test reports. */
import { sleep } from "../../src/lifecycle/sleep.ts";
import { patience } from "./patience.ts";

/** @param options.withinMs enough on a machine of its own: a busy one gets its room */
export async function eventually<T>(
  what: string,
  check: () => Promise<T> | T,
  options: { readonly withinMs: number; readonly everyMs?: number },
): Promise<T> {
  const withinMs = patience(options.withinMs);
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) {
        throw new Error(`${what} did not happen within ${withinMs} ms`, { cause: error });
      }
    }
    await sleep(options.everyMs ?? 50);
  }
}
