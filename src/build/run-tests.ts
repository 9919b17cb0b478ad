/**
 * Every test: unit and integration side by side, then end to end one file at a time, in one run of Node's test
 * runner, so that its closing lines count them all.
 */
import { globSync } from "node:fs";
import { join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { ensureEnvoy } from "../envoy/ensure.ts";

const root = join(import.meta.dirname, "../..");
const patterns = process.argv.slice(2);
const files = globSync(patterns.length > 0 ? patterns : ["test/{unit,integration,e2e}/**/*.test.ts"], {
  cwd: root,
});

// A test that waited for a download would run into its own deadline.
await ensureEnvoy(
  { binaryPath: undefined, envoyPath: process.env["ENVOY_PATH"], env: process.env },
  (progress) => {
    console.error(`fetching Envoy: ${progress.receivedBytes} of ${progress.totalBytes} bytes`);
  },
);

/** Longest run of one test file, in milliseconds. */
const timeout = 180_000;

const stream = run({
  files: files.toSorted().map((file) => join(root, file)),
  concurrency: 2,
  timeout,
  // A test that failed half-way may have left something that would keep its file from ending, and so the whole run.
  forceExit: true,
});
stream.on("test:fail", () => {
  process.exitCode = 1;
});
stream.compose(new spec()).pipe(process.stdout);
