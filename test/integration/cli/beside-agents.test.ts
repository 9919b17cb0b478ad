/** Commands where several agents have said that they are here. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { programOf } from "../../../src/cli/program.ts";
import { requestCommand } from "../../../src/cli/request.ts";
import { dnsCommand } from "../../../src/cli/dns.ts";
import type { Command, CommandContext } from "../../../src/command/command.ts";
import { parseCommandLine } from "../../../src/command/parse.ts";
import { announce } from "../../../src/status/announcement.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

/** Two agents that answer on no port. */
async function besideAgents(command: Command, ...words: readonly string[]): Promise<readonly string[]> {
  using folder = temporaryFolder();
  const place = { configPath: "/nonexistent", statusPort: 1, adminPort: 1, envoyStatusPort: 1 };
  using _web = announce(folder.path, { ...place, name: "web-1.demo", pid: process.pid });
  using _api = announce(folder.path, { ...place, name: "api-1.demo", pid: process.ppid });
  const invocation = await parseCommandLine([command.name, ...words], programOf([command]));
  assert.equal(invocation.kind, "run");
  const said: string[] = [];
  const context: Pick<CommandContext, "env" | "print" | "printError" | "shutdown"> = {
    env: { OUTRIDER_RUNTIME_FOLDER: folder.path },
    print: () => undefined,
    printError: (line) => said.push(line),
    shutdown: new AbortController().signal,
  };
  await command.run(invocation.args, context as CommandContext);
  return said;
}

describe("a request beside several agents", () => {
  test("to a port of pilot-agent's is made, whoever else is here", async () => {
    const said = await besideAgents(requestCommand, "--debug-port=15004", "GET", "nothing");
    // Nobody listens there, or somebody answers: either way it was asked.
    assert.doesNotMatch(said.join("\n"), /several agents/);
  });

  test("to no port in particular asks which agent is meant", async () => {
    assert.deepEqual(await besideAgents(requestCommand, "GET", "nothing"), [
      "several agents run here: choose with --name one of api-1.demo, web-1.demo",
    ]);
  });
});

describe("a question about a name beside several agents", () => {
  test("asks which agent is meant, whatever the name that is to be looked up", async () => {
    assert.deepEqual(await besideAgents(dnsCommand, "api.demo"), [
      "several agents run here: choose with --name one of api-1.demo, web-1.demo",
    ]);
    assert.match(
      (await besideAgents(dnsCommand, "api.demo", "--name", "web")).join("\n"),
      /^the agent on port 1 did not answer/,
    );
  });
});
