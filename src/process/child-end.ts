/**
 * A child that is not worth more than so much time.
 */
import type { Child, ChildExit } from "./child.ts";

/** Wait until the child has ended and its last line has been passed on; `signal` kills it. Never rejects. */
export async function endOf(child: Child, signal: AbortSignal): Promise<ChildExit> {
  const kill = (): void => {
    child.kill("SIGKILL");
  };
  signal.addEventListener("abort", kill, { once: true });
  const exit = await child.exited;
  await child.closed;
  signal.removeEventListener("abort", kill);
  return exit;
}
