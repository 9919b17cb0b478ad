/**
 * How the release runs its Node.js: tuned for a sidecar.
 */

/**
 * Flags of V8, for a process that rests most of its life. The code cache is bound to them. Together they save
 * 10 MiB of resident and 7 MiB of anonymous memory; `npm run bench` shows what a change does.
 */
export const nodeFlags: readonly string[] = [
  // Young objects get 3 MiB at most, in which garbage waits for its collection: else 48 MiB.
  "--max-semi-space-size=1",
  // What only the start needed goes with the first collection in the old space, not with the sixth.
  "--bytecode-old-age=1",
  // So few young objects are collected before other threads are awake for it.
  "--no-parallel-scavenge",
  // Buffers that have passed are freed with the collection that finds them, not by another thread that comes later on a
  // busy machine: until then they count, and a few MiB of them have V8 collect everything.
  "--no-concurrent-array-buffer-sweeping",
  // The optimizing compilers are for code that is hot for long, under load: a start alone does not bring them into
  // memory. The factors to V8's own numbers are 25, 25, 10 and 10.
  "--invocation-count-for-maglev=10000",
  "--invocation-count-for-maglev-osr=2500",
  "--invocation-count-for-turbofan=30000",
  "--invocation-count-for-osr=5000",
  // Likewise what they would learn from.
  "--invocation-count-for-feedback-allocation=50",
];
