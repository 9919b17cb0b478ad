/**
 * How the release runs its Node.js: tuned for a sidecar, which rests most of its life.
 *
 * Together the flags save 10 MiB of resident and 7 MiB of anonymous memory; `npm run bench` shows what a change does.
 */

/** On the command line. Only flags that V8 leaves out of the hash that binds code caches, Node.js' own among them. */
export const nodeFlags: readonly string[] = [
  // Young objects get 3 MiB at most, in which garbage waits for its collection: else 48 MiB.
  "--max-semi-space-size=1",
  // So few young objects are collected before other threads are awake for it.
  "--no-parallel-scavenge",
  // Buffers that have passed are freed with the collection that finds them, not by another thread that comes later on a
  // busy machine: until then they count, and a few MiB of them have V8 collect everything.
  "--no-concurrent-array-buffer-sweeping",
];

/** A flag of V8 with a number. */
interface NumberFlag {
  readonly name: string;
  /** What V8 has unless told. */
  readonly usual: number;
  readonly resting: number;
  /** The resting value only suits a program that has started. */
  readonly isLate?: true;
}

/**
 * Set by `loader.cjs` once the program runs, and put back whenever it loads something. On the command line they would have V8
 * refuse the cache of Node.js' own modules, which is part of its binary: 20 ms of processor time for an agent's.
 */
export const restingFlags: readonly NumberFlag[] = [
  // What only the start needed goes with the first collection in the old space, not with the sixth. During the start
  // that would be what it is about to need.
  { name: "bytecode-old-age", usual: 6, resting: 1, isLate: true },
  // The optimizing compilers are for code that is hot for long, under load: a start alone does not bring them into
  // memory. V8's help gives other numbers for two of them, which its Maglev compiler implies to be these.
  { name: "invocation-count-for-maglev", usual: 400, resting: 10_000 },
  { name: "invocation-count-for-maglev-osr", usual: 100, resting: 2_500 },
  { name: "invocation-count-for-turbofan", usual: 10_000, resting: 30_000 },
  { name: "invocation-count-for-osr", usual: 800, resting: 5_000 },
  // Likewise what they would learn from.
  { name: "invocation-count-for-feedback-allocation", usual: 8, resting: 50 },
];

/**
 * As words of a command line. A control plane is `loaded` once it has started: a change of a large mesh is a second of work, which
 * V8's compilers make a fifth shorter; what only the start needed goes all the same.
 */
export function flagWords(when: "usual" | "starting" | "resting" | "loaded"): readonly string[] {
  return restingFlags.map(({ name, usual, resting, isLate = false }) => {
    const isUsual = when === "usual" || (when === "starting" && isLate) || (when === "loaded" && !isLate);
    return `--${name}=${isUsual ? usual : resting}`;
  });
}
