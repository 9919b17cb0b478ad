import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, test } from "node:test";
import { agentArguments } from "../../../src/cli/agent-arguments.ts";
import { doctorCommand } from "../../../src/cli/doctor.ts";
import { programOf } from "../../../src/cli/program.ts";
import type { CommandContext } from "../../../src/command/command.ts";
import { parseCommandLine } from "../../../src/command/parse.ts";
import { freePorts } from "../../support/free-ports.ts";
import { patience } from "../../support/patience.ts";
import { hasRoot } from "../../support/privilege.ts";

/** Answers on a port as an agent does, with its own pid. */
const standIn = `
  const [uid, port] = process.env.STAND_IN.split(" ").map(Number);
  process.setgroups([]); process.setgid(uid); process.setuid(uid);
  const report = { ready: true, identity: {}, xds: {}, agent: { pid: process.pid, runsEnvoy: true } };
  require("node:http")
    .createServer((request, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(report));
    })
    .listen(port, "127.0.0.1", () => console.log("listening"));
`;

async function argumentsBeside(
  uid: number,
): Promise<{ binaries: readonly unknown[]; said: readonly string[] }> {
  const [port = 0] = await freePorts(1);
  const agent = spawn(process.execPath, ["-e", standIn, "proxy", "sidecar", "--binaryPath", "/chosen/flag"], {
    env: { STAND_IN: `${uid} ${port}`, ENVOY_PATH: "/chosen/variable" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await once(agent.stdout, "data", { signal: AbortSignal.timeout(patience(10_000)) });
    const invocation = await parseCommandLine([doctorCommand.name], programOf([doctorCommand]));
    assert.equal(invocation.kind, "run");
    const said: string[] = [];
    const env = { PROXY_CONFIG: JSON.stringify({ statusPort: port, configPath: "/nonexistent" }) };
    const context: Pick<CommandContext, "env" | "printError"> = {
      env,
      printError: (line) => said.push(line),
    };
    const found = await agentArguments(invocation.args, context as CommandContext);
    return { binaries: [found?.args.optionalString("binaryPath"), found?.env["ENVOY_PATH"]], said };
  } finally {
    agent.kill("SIGKILL");
  }
}

describe("what an agent beside root was started with", () => {
  test("is used where root has started it", async (t) => {
    if (!hasRoot(t)) return;
    const { binaries, said } = await argumentsBeside(0);
    assert.deepEqual(binaries, ["/chosen/flag", "/chosen/variable"]);
    assert.deepEqual(said, []);
  });

  test("chooses no program for root where another user has", async (t) => {
    if (!hasRoot(t)) return;
    const { binaries, said } = await argumentsBeside(65_534);
    assert.deepEqual(binaries, [undefined, undefined]);
    assert.match(said.join("\n"), /user 65534's, and this is user 0/);
  });
});
