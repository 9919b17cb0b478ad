/**
 * The quick checks: format, lint, types, unit tests, dead code. All of them run, then all failures are shown.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "../..");
const runFile = promisify(execFile);

const checks: readonly (readonly [name: string, command: string, args: readonly string[]])[] = [
  ["format", "prettier", ["--check", "--log-level", "warn", "."]],
  ["lint", "oxlint", ["--deny-warnings"]],
  ["types", "tsc", []],
  ["unit tests", "node", ["--test", "--test-reporter=dot", "test/unit/**/*.test.ts"]],
  ["dead code", "knip", []],
];

for (const [name, command, args] of checks) {
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
