/**
 * A profile of this process' processor time, by V8's own profiler. Nothing is opened that anybody could connect to.
 */
import type { Profiler } from "node:inspector";
import { sleep } from "../../lifecycle/sleep.ts";

/** V8's answer (Chrome DevTools Protocol, Profiler domain): a tree of frames, and how often each was the innermost. */
export type CpuProfile = Profiler.Profile;

/** Between two samples, in microseconds: what Go's profiler takes. */
export const sampleEveryUs = 10_000;

/** Sample for `ms`, or until `signal` aborts. */
export async function takeCpuProfile(ms: number, signal: AbortSignal): Promise<CpuProfile> {
  const { Session } = await import("node:inspector/promises");
  const session = new Session();
  session.connect();
  try {
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: sampleEveryUs });
    await session.post("Profiler.start");
    await sleep(ms, signal);
    const { profile } = await session.post("Profiler.stop");
    return profile;
  } finally {
    session.disconnect();
  }
}
