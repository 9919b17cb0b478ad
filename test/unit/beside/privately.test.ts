import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { commands } from "../../../src/cli/commands.ts";
import { privately } from "../../../src/beside/privately.ts";
import { programOf } from "../../../src/cli/program.ts";
import type { Command, CommandContext } from "../../../src/command/command.ts";
import { parseCommandLine } from "../../../src/command/parse.ts";

const secret = "planted-K8qz/Vb+x=";
const url = `https://me:${encodeURIComponent(secret)}@host/`;

/** What comes out of a command with secrets in its environment. */
async function outputOf(table: readonly Command[], ...words: readonly string[]): Promise<readonly string[]> {
  const out: string[] = [];
  const take = (text: string): void => {
    out.push(text);
  };
  const context = {
    env: { REDIS_PASSWORD: secret, ISTIO_BOOTSTRAP: url },
    templates: "/nowhere",
    print: take,
    printError: take,
    terminal: {
      columns: () => 80,
      rows: () => 24,
      write: take,
      keys: () => ({ [Symbol.dispose]: () => undefined }),
    },
  } satisfies Partial<CommandContext>;
  const invocation = await parseCommandLine(words, programOf(table));
  assert.equal(invocation.kind, "run");
  if (invocation.kind === "run") {
    await invocation.command.run(invocation.args, context as unknown as CommandContext);
  }
  return out;
}

describe("a command that is private", () => {
  test("has no secret of its environment in what it prints, says of errors, or draws", async () => {
    const telling: Command = {
      name: "tell",
      describe: "",
      summary: "",
      exitCodes: [],
      flags: {},
      run: (_args, { print, printError, terminal }) => {
        print(`a ${secret}`);
        printError(`b ${url}`);
        terminal?.write(`c ${secret}`);
        return Promise.resolve(0);
      },
    };
    assert.deepEqual(await outputOf([privately(telling)], "tell"), [
      "a [redacted]",
      "b https://me:[redacted]@host/",
      "c [redacted]",
    ]);
  });

  test("is one that shows the environment", async () => {
    const text = (await outputOf(commands, "env", "--set")).join("\n");
    assert.match(text, /ISTIO_BOOTSTRAP="https:\/\/me:\[redacted\]@host\/"/);
  });
});
