import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { commands } from "../../../src/cli/commands.ts";
import { programOf } from "../../../src/cli/program.ts";
import { outriderctl } from "../../../src/ctl/program.ts";
import type { Arguments } from "../../../src/command/command.ts";
import { parseCommandLine } from "../../../src/command/parse.ts";

async function parsed(
  ...argv: readonly string[]
): Promise<{ readonly name: string; readonly args: Arguments }> {
  const invocation = await parseCommandLine(argv, programOf(commands));
  assert.equal(invocation.kind, "run", JSON.stringify(invocation));
  return { name: invocation.command.name, args: invocation.args };
}

test("no word of a command has the name of one of its flags, which would be given its value", () => {
  for (const { name, usage = "", flags } of commands)
    for (const [, word = ""] of usage.matchAll(/[[<](\w+)/g))
      assert.ok(flags[word] === undefined, `${name}: <${word}> and --${word}`);
});

describe("parseCommandLine()", () => {
  test("hands on what follows -- untouched", async () => {
    const { name, args } = await parsed(
      "run",
      "--timeoutSeconds",
      "5",
      "--",
      "sh",
      "-c",
      "exit 3",
      "--url=x",
      "--",
      "007",
    );
    assert.equal(name, "run");
    assert.equal(args.number("timeoutSeconds"), 5);
    assert.deepEqual(args.words, ["sh", "-c", "exit 3", "--url=x", "--", "007"]);
    assert.equal(args.given("url"), false, "it is a flag of the other program");
    assert.deepEqual(args.unknown, []);
  });

  test("keeps words as they were written", async () => {
    const { args } = await parsed("request", "POST", "config_dump?mask=a", "0x10", "--debug-port=15004");
    assert.deepEqual(args.words, ["POST", "config_dump?mask=a", "0x10"]);
    assert.equal(args.number("debug-port"), 15004);
  });

  test("keeps every word of a command that takes several", async () => {
    const invocation = await parseCommandLine(["validate", "a.yaml", "b.yaml", "3"], outriderctl);
    assert.deepEqual(invocation.kind === "run" && invocation.args.words, ["a.yaml", "b.yaml", "3"]);
  });

  test("keeps a dash, which is standard input, as a word and as the value of a flag's long and short name", async () => {
    const read = async (...argv: readonly string[]): Promise<readonly string[]> => {
      const invocation = await parseCommandLine(argv, outriderctl);
      assert.equal(invocation.kind, "run", JSON.stringify(invocation));
      return [...invocation.args.words, ...invocation.args.strings("filename")];
    };
    assert.deepEqual(await read("analyze", "mesh", "-"), ["mesh", "-"]);
    assert.deepEqual(await read("validate", "-f", "-"), ["-"]);
    assert.deepEqual(await read("validate", "--filename", "-", "-"), ["-", "-"]);
    assert.deepEqual(await read("describe", "pod", "-"), ["pod", "-"]);
    assert.deepEqual(await read("explain", "-f", "web.json", "web-1", "api:80"), ["web-1", "api:80"]);
    const refused = await parseCommandLine(["version", "-"], outriderctl);
    assert.match(refused.kind === "print" ? refused.text : "", /^Unknown argument: -\n/);
  });

  test("has pilot-agent's defaults for wait", async () => {
    const { args } = await parsed("wait");
    assert.deepEqual(
      [args.number("timeoutSeconds"), args.number("requestTimeoutMillis"), args.number("periodMillis")],
      [60, 500, 500],
    );
    assert.equal(args.optionalString("url"), undefined);
  });

  test("switches a flag off by its value", async () => {
    assert.equal((await parsed("run", "--", "true")).args.boolean("timeoutFatal"), true);
    assert.equal(
      (await parsed("run", "--timeoutFatal=false", "--", "true")).args.boolean("timeoutFatal"),
      false,
    );
  });

  for (const [name, argv, expected] of [
    ["a path that is missing", ["request", "GET"], /^Missing required argument: path\n/],
    [
      "words that are missing, with what they may be",
      ["request"],
      /^Missing required argument: method, one of GET, POST\nMissing required argument: path\n/,
    ],
    ["a flag of another command", ["wait", "--debug-port=1"], /Unknown flag: --debug-port\n/],
    ["a command that stands before --", ["run", "sh", "-c", "true"], /Unknown/],
  ] as const) {
    test(`refuses ${name}`, async () => {
      const invocation = await parseCommandLine(argv, programOf(commands));
      assert.equal(invocation.kind, "print");
      assert.equal(invocation.code, 64);
      assert.match(invocation.text, expected);
    });
  }

  test("shows in the help where the command goes", async () => {
    const invocation = await parseCommandLine(["run", "--help"], programOf(commands));
    assert.equal(invocation.kind, "print");
    assert.match(invocation.text, /outrider run \[flags\] -- CMD/);
  });
});
