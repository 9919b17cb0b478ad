/**
 * The quick checks: format, lint, types, unit tests, dead code. All of them run, two at a time, then all failures are
 * shown.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "../..");
const runFile = promisify(execFile);

type Check = readonly [name: string, command: string, args: readonly string[]];

// The longest comes first. Unit tests share one process: they have none of their own state to keep apart, and to start
// Node.js for each file would take twice as long as they do.
const checks: readonly Check[] = [
  [
    "unit tests",
    "node",
    ["--test", "--test-isolation=none", "--test-reporter=dot", "test/unit/**/*.test.ts"],
  ],
  // The cache (node_modules/.cache) knows files by their content: only what has changed is formatted to be compared.
  ["format", "prettier", ["--check", "--cache", "--cache-strategy", "content", "--log-level", "warn", "."]],
  ["lint", "oxlint", ["--deny-warnings"]],
  ["types", "tsc", []],
  ["dead code", "knip", []],
];

/** How many run at a time. */
const atOnce = 2;

async function runChecks(waiting: Iterator<Check>): Promise<void> {
  for (let next = waiting.next(); next.done !== true; next = waiting.next()) await runCheck(next.value);
}

async function runCheck([name, command, args]: Check): Promise<void> {
  const started = performance.now();
  const failure = await runFile(join(root, "node_modules/.bin", command), args, {
    cwd: root,
    maxBuffer: 2 ** 26,
  }).then(
    () => undefined,
    (error: { stdout?: string; stderr?: string }) => `${error.stdout ?? ""}${error.stderr ?? ""}`,
  );
  const seconds = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(`${failure === undefined ? "✔" : "✖"} ${name} (${seconds} s)`);
  if (failure !== undefined) {
    console.log(failure);
    process.exitCode = 1;
  }
}

const waiting = checks.values();
await Promise.all(Array.from({ length: atOnce }, () => runChecks(waiting)));
