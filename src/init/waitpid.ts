/**
 * waitpid(2) for one process.
 */

/** Option of waitpid(2): return at once. */
const WNOHANG = 1;

/** Collect the exit code of the child `pid`; true when it is gone by that. */
export type CollectChild = (pid: number) => boolean;

/**
 * Load libc's waitpid. It costs about 20 ms and 7 MiB, so only a process with an orphan to collect does it.
 *
 * @throws when there is no koffi for this machine, or no waitpid
 */
export async function loadCollectChild(): Promise<CollectChild> {
  const { default: koffi } = await import("koffi");
  const waitpid = koffi.load(null).func("int waitpid(int pid, void *status, int options)") as (
    pid: number,
    status: null,
    options: number,
  ) => number;
  return (pid) => {
    // 0 and -1 would take any child, Node's own among them.
    if (!Number.isSafeInteger(pid) || pid <= 0) throw new RangeError(`${pid} is not a pid`);
    return waitpid(pid, null, WNOHANG) === pid;
  };
}
