/** What the kernel knows of a process (proc(5)). */
import { readdirSync, readFileSync } from "node:fs";

/** In MiB. Of memory that processes share, PSS counts a part and RSS all; anonymous is nobody else's. */
export interface Memory {
  readonly rss: number;
  readonly pss: number;
  readonly anonymous: number;
}

export function memoryOf(pid: number): Memory {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1]) / 1_024;
  return { rss: field("Rss"), pss: field("Pss"), anonymous: field("Anonymous") };
}

/** Time on a processor so far, over all threads, in milliseconds. */
export function cpuMsOf(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.reduce((sum, task) => {
    const [nanoseconds = "0"] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ");
    return sum + Number(nanoseconds) / 1e6;
  }, 0);
}
