import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { type ChildExit, type ChildOptions, spawnChild } from "../../../src/process/child.ts";

/** Run to the end. */
async function run(options: Omit<ChildOptions, "stdout" | "stderr">) {
  const lines: string[] = [];
  const stderr: string[] = [];
  const child = spawnChild({
    ...options,
    stdout: (line) => lines.push(line),
    stderr: (line) => stderr.push(line),
  });
  const exit: ChildExit = await child.exited;
  await child.closed;
  return { pid: child.pid, exit, lines, stderr };
}

const shell = (script: string): { file: string; args: readonly string[] } => ({
  file: "/bin/sh",
  args: ["-c", script],
});

test("a child's lines and its code are told, the last line without an end included", async () => {
  const { exit, lines, stderr } = await run(shell("echo one; printf two; echo three >&2; exit 7"));
  assert.deepEqual(exit, { kind: "exited", code: 7 });
  assert.deepEqual([lines, stderr], [["one", "two"], ["three"]]);
});

test("a child reads what it is given, or nothing, and may close early", async () => {
  const input = `first\n${"x".repeat(2 ** 20)}\n`;
  assert.deepEqual((await run({ ...shell("cat | wc -c"), input })).lines, [String(input.length)]);
  assert.deepEqual((await run(shell("cat | wc -c"))).lines, ["0"]);
  const early = await run({ ...shell("read line; echo $line"), input });
  assert.deepEqual([early.exit, early.lines], [{ kind: "exited", code: 0 }, ["first"]]);
});

test("a signal that ended a child is told", async () => {
  assert.deepEqual((await run(shell("kill -9 $$"))).exit, { kind: "signaled", signal: "SIGKILL" });
});

test("a child's environment is what it is given, or this process's own and more", async () => {
  const script = shell('echo "$A $B ${HOME:-homeless}"');
  assert.deepEqual((await run({ ...script, env: { A: "1", B: undefined } })).lines, ["1  homeless"]);
  assert.deepEqual((await run({ ...script, addEnv: { A: "1", HOME: "/h" } })).lines, ["1  /h"]);
});

const missing = join(import.meta.dirname, "missing");

for (const [what, options, reason, code] of [
  ["does not exist", { file: missing, args: [] }, /ENOENT/, "ENOENT"],
  ["may not be run", { file: import.meta.dirname, args: [] }, /EACCES/, "EACCES"],
  ["gets a zero byte", { file: "/bin/true", args: ["a\0b"] }, /null bytes/, "ERR_INVALID_ARG_VALUE"],
  ["has a folder that does not exist", { ...shell("true"), cwd: missing }, /ENOENT/, "ENOENT"],
  ["gets more than the kernel takes", { file: "/bin/true", args: ["x".repeat(2 ** 22)] }, /E2BIG/, "E2BIG"],
] as const) {
  test(`a program that ${what} is not started, which is a value and no error`, async () => {
    const { pid, exit } = await run(options);
    assert.equal(pid, undefined);
    assert.equal(exit.kind, "not-started");
    assert.match(exit.kind === "not-started" ? exit.message : "", reason);
    assert.equal(exit.kind === "not-started" ? exit.code : "", code);
  });
}
