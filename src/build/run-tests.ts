/**
 * Every test: unit tests in this process; then those that bear company, two files at a time; then those that measure what
 * load and death cost, and those that try whatever comes in, one file at a time. The last line counts them all.
 */
import { globSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { ensureEnvoy } from "../envoy/binary/ensure.ts";

const root = join(import.meta.dirname, "../..");
const patterns = process.argv.slice(2);
const files = globSync(patterns.length > 0 ? patterns : ["test/{unit,integration,e2e,fuzz}/**/*.test.ts"], {
  cwd: root,
}).toSorted();

/** Files below these load the machine, and would fail or be failed by others beside them. */
const alone = [["test", "e2e", "swap", ""].join(sep), ["test", "fuzz", ""].join(sep)];

/** Files below this have no state of their own, and no sockets, to keep apart. */
const unit = ["test", "unit", ""].join(sep);

/** Longest run of one test, in milliseconds. */
const timeout = 180_000;

/** Files that are named at the end for how long they took. */
const slowestShown = 12;

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  readonly filesMs: Map<string, number>;
}

/** In processes of their own, so many at a time, or all in this one. */
type Room = { readonly isolation: "process"; readonly concurrency: number } | { readonly isolation: "none" };

async function runFiles(paths: readonly string[], room: Room, counts: Counts): Promise<void> {
  if (paths.length === 0) return;
  const stream = run({
    ...room,
    files: paths.map((path) => join(root, path)),
    timeout,
    // A test that failed half-way may have left something that would keep its file from ending, and so the whole run.
    forceExit: room.isolation === "process",
  });
  stream.on("test:pass", ({ skip, details }) => {
    if (details.type === "suite") return;
    if (skip === undefined) counts.passed += 1;
    else counts.skipped += 1;
  });
  stream.on("test:fail", ({ details }) => {
    if (details.type !== "suite") counts.failed += 1;
    process.exitCode = 1;
  });
  stream.on("test:summary", ({ file, duration_ms: ms }) => {
    if (file !== undefined) counts.filesMs.set(relative(root, file), ms);
  });
  for await (const text of stream.compose(new spec())) process.stdout.write(String(text));
}

// A test that waited for a download would run into its own deadline.
await ensureEnvoy(
  { binaryPath: undefined, envoyPath: process.env["ENVOY_PATH"], env: process.env },
  (progress) => {
    console.error(`fetching Envoy: ${progress.receivedBytes} of ${progress.totalBytes} bytes`);
  },
);

const counts: Counts = { passed: 0, failed: 0, skipped: 0, filesMs: new Map() };
const isUnit = (path: string): boolean => path.startsWith(unit);
const isAlone = (path: string): boolean => alone.some((folder) => path.startsWith(folder));
const bearsCompany = (path: string): boolean => !isUnit(path) && !isAlone(path);
await runFiles(files.filter(isUnit), { isolation: "none" }, counts);
await runFiles(files.filter(bearsCompany), { isolation: "process", concurrency: 2 }, counts);
await runFiles(files.filter(isAlone), { isolation: "process", concurrency: 1 }, counts);
console.log("\nslowest files (s):");
for (const [file, ms] of [...counts.filesMs].toSorted(([, a], [, b]) => b - a).slice(0, slowestShown))
  console.log(`${(ms / 1_000).toFixed(1).padStart(6)}  ${file}`);
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
