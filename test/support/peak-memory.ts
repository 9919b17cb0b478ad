/** The most memory that a process has had since it was asked to look (proc(5), `clear_refs` and `VmHWM`). */
import { readFileSync, writeFileSync } from "node:fs";

export function watchPeak(pid: number): { readonly peakMiB: () => number } {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
  return {
    peakMiB: () => {
      const text = readFileSync(`/proc/${pid}/status`, "utf8");
      return Number(/^VmHWM:\s+(\d+) kB$/m.exec(text)?.[1]) / 1_024;
    },
  };
}
