import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { commandGroups, commands } from "../../../src/cli/commands.ts";
import { programOf } from "../../../src/cli/program.ts";
import { readCommandLine } from "../../../src/command/command-line.ts";

const outrider = programOf(commands, commandGroups);

async function printed(...words: readonly string[]): Promise<string> {
  const invocation = await readCommandLine(words, outrider);
  assert.equal(invocation.kind, "print", words.join(" "));
  assert.equal(invocation.code, 0);
  return invocation.text;
}

function fitsOn25Lines(text: string): void {
  const lines = text.split("\n");
  assert.ok(lines.length <= 25, `${lines.length} lines:\n${text}`);
  for (const line of lines) assert.ok(line.length <= 80, `${line.length} columns: ${line}`);
}

describe("help", () => {
  test("of outrider fits on 25 lines of 80 columns and names every command, but Istio's names for two", async () => {
    const text = await printed("--help");
    fitsOn25Lines(text);
    for (const { name } of commands) {
      assert.equal(new RegExp(`^.{11}${name} `, "m").test(text), !name.startsWith("istio-"), name);
    }
    for (const { name } of commands)
      assert.match(await printed("--help-all"), new RegExp(`^outrider ${name} `, "m"));
  });

  for (const { name, flags, exitCodes } of commands) {
    test(`of ${name} fits on 25 lines of 80 columns, with its exit codes; --help-all has every flag`, async () => {
      const text = await printed(name, "-h");
      fitsOn25Lines(text);
      const flat = text.replaceAll(/\s+/g, " ");
      for (const { code, meaning } of [...exitCodes, { code: 64, meaning: "" }]) {
        assert.ok(flat.includes(`${code} ${meaning}`), `${code} ${meaning} in ${text}`);
      }
      const full = await printed(name, "--help-all");
      for (const flag of [...Object.keys(flags), ...Object.keys(outrider.commonFlags)]) {
        assert.match(full, new RegExp(`^ +(?:-\\w, )?--${flag}\\b`, "m"));
      }
      for (const line of full.split("\n")) assert.ok(line.length <= 80 || line.startsWith("outrider "), line);
    });
  }

  test("shows a command's own flags before those that it shares", async () => {
    const text = await printed("doctor", "--help");
    assert.match(text, /^ {2}--json /m);
    assert.doesNotMatch(text, /--restartBudget/);
    assert.match(text, /takes the flags of outrider proxy as well/);
    const full = await printed("doctor", "--help-all");
    assert.ok(full.indexOf("--json") < full.indexOf("Flags of outrider proxy:"));
    assert.ok(full.indexOf("--swapMode") < full.indexOf("Deprecated, or without effect:"));
  });

  for (const words of [
    ["wait", "-h"],
    ["wait", "--timeoutSeconds", "5", "--help"],
    ["help", "wait"],
    ["--help", "wait"],
  ]) {
    test(`is given for: ${words.join(" ")}`, async () => {
      assert.equal(await printed(...words), await printed("wait", "--help"));
    });
  }

  test("is another program's after --", async () => {
    assert.equal((await readCommandLine(["run", "--", "true", "-h"], outrider)).kind, "run");
  });

  test("puts the number of the release where it is asked for", async () => {
    assert.equal(await printed("--version"), outrider.version);
  });
});
