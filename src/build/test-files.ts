/** Runs test files and counts what came of them. */
import { join, relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { inspect } from "node:util";

const root = join(import.meta.dirname, "../..");

/** Longest run of one test, in milliseconds: only what hangs takes longer, also where others load the machine ten times over. */
const timeout = 600_000;

/** Characters of a failure that are told again at the end; all of it stands where it happened. */
const mostOfAFailure = 2_000;

const indent = (text: string): string => text.replaceAll(/^/gm, "  ");

/** What came of all tests so far. */
export interface TestCounts {
  passed: number;
  failed: number;
  skipped: number;
  /** How long each file took that had a process of its own, in milliseconds. */
  readonly filesMs: Map<string, number>;
  /** Of each failure the place, the name, and why. */
  readonly failures: string[];
}

/** In processes of their own, so many at a time, or all in this one. */
export type Isolation =
  { readonly isolation: "process"; readonly concurrency: number } | { readonly isolation: "none" };

/**
 * Run these files, paths from the root of the sources, and add to the counts; what fails sets this process's exit code.
 * A file whose process ends before it has told all its results has failed, with whatever code it ended.
 *
 * @returns the report, for people
 */
export async function* runTestFiles(
  paths: readonly string[],
  isolation: Isolation,
  counts: TestCounts,
): AsyncGenerator<string> {
  if (paths.length === 0) return;
  const hasProcesses = isolation.isolation === "process";
  const untold = new Set(hasProcesses ? paths : []);
  const stream = run({
    ...isolation,
    files: paths.map((path) => join(root, path)),
    timeout,
    // A test that failed half-way may have left something that would keep its file from ending, and so the whole run.
    ...(hasProcesses
      ? { forceExit: true, execArgv: ["--import", join(import.meta.dirname, "test-process.ts")] }
      : {}),
  });
  stream.on("test:pass", ({ skip, details }) => {
    if (details.type === "suite") return;
    if (skip === undefined) counts.passed += 1;
    else counts.skipped += 1;
  });
  stream.on("test:fail", ({ name, file, line, details: { type, error } }) => {
    process.exitCode = 1;
    const { cause, failureType } = error as Error & { readonly failureType?: string };
    // Of a suite whose tests have told why they failed nothing is left to say.
    if (type === "suite" && failureType === "subtestsFailed") return;
    if (type !== "suite") counts.failed += 1;
    const place = file === undefined ? "" : `${relative(root, file)}:${line ?? 1}: `;
    const reason = cause instanceof Error ? (cause.stack ?? cause.message) : inspect(cause ?? error.message);
    counts.failures.push(`${place}${name}\n${indent(reason.slice(0, mostOfAFailure))}`);
  });
  stream.on("test:summary", ({ file, duration_ms: ms }) => {
    if (file === undefined) return;
    const path = relative(root, file);
    counts.filesMs.set(path, ms);
    untold.delete(path);
  });
  for await (const text of stream.compose(new spec())) yield String(text);
  for (const path of untold) {
    counts.failed += 1;
    process.exitCode = 1;
    const failure = `${path}: its process ended before it had told all results`;
    counts.failures.push(failure);
    yield `✖ ${failure}\n`;
  }
}
