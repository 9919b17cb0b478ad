/** Wait for something that takes an unknown but bounded time; the last failure is what the test reports. */
import { sleep } from "../../src/lifecycle/sleep.ts";

export async function eventually<T>(
  what: string,
  check: () => Promise<T> | T,
  options: { readonly withinMs: number; readonly everyMs?: number },
): Promise<T> {
  const deadline = performance.now() + options.withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) {
        throw new Error(`${what} did not happen within ${options.withinMs} ms`, { cause: error });
      }
    }
    await sleep(options.everyMs ?? 50);
  }
}
