/**
 * Every test: unit tests in this process; then those that bear company, several files at a time; then those that measure
 * what load and death cost, one file at a time. Those that try whatever comes in run beside all of them, on what the
 * others leave of the processors. The last lines say again what failed, and count all.
 */
import { globSync } from "node:fs";
import { enableCompileCache } from "node:module";
import { cpus } from "node:os";
import { dirname, join, relative, resolve, sep } from "node:path";
import { ensureEnvoy } from "../envoy/binary/ensure.ts";
import { failOnEarlyExit } from "./early-exit.ts";
import { compileCacheFolder } from "./compile-cache.ts";
import { type Isolation, runTestFiles, type TestCounts } from "./test-files.ts";

enableCompileCache(compileCacheFolder);
const runIsOver = failOnEarlyExit();
const root = join(import.meta.dirname, "../..");
const patterns = process.argv.slice(2);
const files = globSync(patterns.length > 0 ? patterns : ["test/{unit,integration,e2e,fuzz}/**/*.test.ts"], {
  cwd: root,
})
  .map((path) => relative(root, resolve(root, path)))
  .toSorted();
if (files.length === 0) throw new Error(`no file matches ${patterns.join(" ")}`);

/** Folder of the tests with this path below `test/`. */
const folder = (...names: readonly string[]): string => ["test", ...names, ""].join(sep);

/** Files below these load the machine, and would fail or be failed by others beside them. */
const alone = [folder("e2e", "swap")];

/** Files at a time that bear company: most of their time they wait for processes of theirs. */
const together = 3;

/** Files that are named at the end for how long they took. */
const slowestShown = 15;

const counts: TestCounts = { passed: 0, failed: 0, skipped: 0, filesMs: new Map(), failures: [] };

async function runAll(paths: readonly string[], isolation: Isolation): Promise<void> {
  for await (const text of runTestFiles(paths, isolation, counts)) process.stdout.write(text);
}

/** Clock ticks of all processors so far, and those of them in which one had nothing to do. */
function ticks(): { readonly all: number; readonly idle: number } {
  const times = cpus().map((cpu) => cpu.times);
  return {
    all: times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0),
    idle: times.reduce((sum, { idle }) => sum + idle, 0),
  };
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(1).padStart(7);

// A test that waited for a download would run into its own deadline.
await ensureEnvoy(
  { binaryPath: undefined, envoyPath: process.env["ENVOY_PATH"], env: process.env },
  (progress) => {
    console.error(`fetching Envoy: ${progress.receivedBytes} of ${progress.totalBytes} bytes`);
  },
);

const started = performance.now();
const before = ticks();
const isIn = (path: string, folders: readonly string[]): boolean =>
  folders.some((name) => path.startsWith(name));
const [unit, fuzz] = [[folder("unit")], [folder("fuzz")]];
const bearsCompany = (path: string): boolean => !isIn(path, [...unit, ...fuzz, ...alone]);
// Unit tests have no state of their own, and no sockets, to keep apart.
await runAll(
  files.filter((path) => isIn(path, unit)),
  { isolation: "none" },
);
await Promise.all([
  runAll(
    files.filter((path) => isIn(path, fuzz)),
    { isolation: "process", concurrency: 1 },
  ),
  (async (): Promise<void> => {
    await runAll(files.filter(bearsCompany), { isolation: "process", concurrency: together });
    await runAll(
      files.filter((path) => isIn(path, alone)),
      { isolation: "process", concurrency: 1 },
    );
  })(),
]);

const foldersMs = new Map<string, number>();
for (const [file, ms] of counts.filesMs)
  foldersMs.set(dirname(file), (foldersMs.get(dirname(file)) ?? 0) + ms);
const after = ticks();
const idle = ((after.idle - before.idle) / (after.all - before.all)) * 100;
const showSlowest = (title: string, taken: ReadonlyMap<string, number>, most: number): void => {
  console.log(`\n${title} (s):`);
  for (const [name, ms] of [...taken].toSorted(([, a], [, b]) => b - a).slice(0, most))
    console.log(`${seconds(ms)}  ${name}`);
};
showSlowest("folders", foldersMs, Infinity);
showSlowest("slowest files", counts.filesMs, slowestShown);
console.log(`\n${seconds(performance.now() - started).trim()} s, processors idle ${idle.toFixed(0)} %`);
// A record that keeps only the last lines of a run keeps these.
if (counts.failures.length > 0) console.log(`\nfailed:\n${counts.failures.join("\n\n")}\n`);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
runIsOver();
