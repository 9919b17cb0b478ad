import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { acceptedFlags, type Arguments, type Command } from "../../../src/command/command.ts";
import { commands } from "../../../src/cli/commands.ts";
import { programOf } from "../../../src/cli/program.ts";
import { readCommandLine, readPlainCall } from "../../../src/command/command-line.ts";
import { type Invocation, parseCommandLine } from "../../../src/command/parse.ts";

const outrider = programOf(commands);

/** Everything that a command can see of its arguments. */
function seen(invocation: Invocation): unknown {
  if (invocation.kind === "print") return invocation;
  const { command, args } = invocation;
  const read = (name: string): unknown =>
    (["string", "optionalString", "number", "optionalNumber", "boolean", "strings", "given"] as const).map(
      (kind: Exclude<keyof Arguments, "words" | "unknown">) => args[kind](name),
    );
  const flags = Object.fromEntries(
    Object.keys(acceptedFlags(outrider, command)).map((name) => [name, read(name)]),
  );
  return { command: command.name, words: args.words, unknown: args.unknown, flags };
}

const plain: readonly string[] = [
  "proxy",
  "proxy sidecar",
  "proxy router --domain demo.svc.cluster.local",
  "proxy sidecar --domain=demo.svc.cluster.local --proxyLogLevel=warning --concurrency 2",
  "proxy sidecar --proxyComponentLogLevel=misc:error --log_output_level=default:info --log_as_json",
  "proxy sidecar --templateFile a --templateFile b --binaryPath /usr/bin/envoy",
  "proxy sidecar --serviceCluster 0123 --concurrency=3 --domain",
  "proxy sidecar --log_target stderr --log_target a.log --log_caller=ads,ca --log_stacktrace_level=default:error",
  "proxy --log_target stdout router",
  "proxy sidecar --log_as_json=T --profiling=0 --xdsCache=FALSE",
  "wait --log_output_level=default:debug --log_as_json --log_target=stdout",
  "diagnose --output -",
  "diagnose --output=- --name web",
  "version -s",
  "version -o json",
  "version --short --output=yaml",
  "proxy sidecar --outlierLogPath /dev/stdout --stsPort=15463 -x --no-such --trust.domain=a",
  "proxy --log_as_json=false sidecar",
  "proxy --log_as_json true sidecar",
  "discovery --configDir mesh --httpPort 0 --secureGrpcPort=15012",
  "up --once --ports web.admin=15000,api.status=16020 --intervalMs 20",
  "envoy --path",
  "envoy",
];

const special: readonly string[] = [
  "",
  "--help",
  "--version",
  "nonsense",
  "proxy --help",
  "envoy --version",
  "envoy --nonsense",
  "envoy extra words",
  "up --once --unce",
  "proxy sidecar extra",
  "proxy sidecar --concurrency=x --stsPort=y",
  "proxy sidecar --log_as_json=yes",
  "--log_output_level=default:debug proxy sidecar",
  "version -x",
  "proxy sidecar -- --domain a",
];

const words = (line: string): string[] => line.split(" ").filter((word) => word !== "");

describe("the command line", () => {
  for (const line of plain) {
    test(`a plain call is read without yargs, and as yargs reads it: ${line}`, async () => {
      const invocation = readPlainCall(words(line), outrider);
      assert.ok(invocation !== undefined);
      assert.deepEqual(seen(invocation), seen(await parseCommandLine(words(line), outrider)));
    });
  }

  for (const line of special) {
    test(`help and mistakes are yargs' business: ${line || "(nothing)"}`, async () => {
      assert.equal(readPlainCall(words(line), outrider), undefined);
      const [invocation, expected] = [
        await readCommandLine(words(line), outrider),
        await parseCommandLine(words(line), outrider),
      ];
      assert.deepEqual(seen(invocation), seen(expected));
    });
  }

  test("a mistake is shown with the help that there is", async () => {
    const hint = async (line: string): Promise<string> => {
      const invocation = await readCommandLine(words(line), outrider);
      return invocation.kind === "print" ? invocation.text : "";
    };
    assert.equal(await hint("nonsense"), "Unknown command: nonsense\nSee outrider --help.");
    assert.equal(await hint("wiat"), "Unknown command: wiat. Did you mean wait?\nSee outrider --help.");
    assert.equal(
      await hint("up --onec --state-dir=/a -o"),
      "Unknown flag: --onec. Did you mean --once?\nUnknown flag: --state-dir. Did you mean --stateDir?\n" +
        "Unknown flag: -o\nSee outrider up --help.",
    );
    assert.equal(
      await hint("status --jsn"),
      "Unknown flag: --jsn. Did you mean --json?\nSee outrider status --help.",
    );
    assert.match(await hint(""), /^Name a command\.\n\n.*Usage: outrider COMMAND/);
    assert.equal(
      await hint("proxy --concurrency=x --stsPort=y --log_as_json=yes"),
      '--stsPort is not a number\n--concurrency is not a number\n--log_as_json: "yes" is not true or false\n' +
        "See outrider proxy --help.",
    );
    assert.equal(
      await hint("envoy --pth"),
      "Unknown flag: --pth. Did you mean --path?\nSee outrider envoy --help.",
    );
  });

  test("a usage that is more than one optional word is yargs' business", () => {
    const command: Command = {
      name: "run",
      usage: "<program> [args..]",
      describe: "",
      summary: "",
      exitCodes: [],
      flags: {},
      run: () => Promise.resolve(0),
    };
    assert.equal(readPlainCall(["run", "true"], programOf([command])), undefined);
  });
});
