/** What asks a running agent, against the port that it asks. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { statusRoutes, type StatusParts } from "../../../src/agent/status-routes.ts";
import { HttpServer, type ListenAddress } from "../../../src/net/http-server.ts";
import { AgentClient, AgentError, type AgentErrorCode } from "../../../src/status/client.ts";
import { drainRoute } from "../../../src/status/routes/drain.ts";
import { quitRoute } from "../../../src/status/routes/quit.ts";
import { readinessRoute } from "../../../src/status/routes/readiness.ts";
import { reloadRoute } from "../../../src/status/routes/reload.ts";
import { reportRoute } from "../../../src/status/routes/report.ts";
import { listenForStatus } from "../../../src/status/server.ts";
import { Redactor } from "../../../src/telemetry/redactor.ts";
import { exchangesRoute } from "../../../src/xdsproxy/report/exchanges-route.ts";
import { silentServer } from "../../support/silent-server.ts";
import { statusParts } from "../../support/status-parts.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { testLog } from "../../support/test-log.ts";

async function withAgent(
  changes: Partial<StatusParts>,
  run: (agent: AgentClient) => Promise<void>,
  secrets: readonly string[] = [],
): Promise<void> {
  await using server = await listenForStatus(
    { host: "127.0.0.1", port: 0, metricsLocalOnly: false },
    statusRoutes,
    statusParts(changes),
    { log: testLog().log, redactor: new Redactor(secrets) },
  );
  await run(AgentClient.onPort(server.port));
}

/** Something else than an agent. */
async function withOther(
  body: string,
  run: (agent: AgentClient) => Promise<void>,
  address: ListenAddress = { host: "127.0.0.1", port: 0 },
): Promise<void> {
  await using server = await HttpServer.listen(address, (_, response) => {
    response.end(body);
  });
  await run("path" in address ? new AgentClient(address) : AgentClient.onPort(server.port));
}

function failsWith(code: AgentErrorCode, message: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof AgentError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}

describe("AgentClient", () => {
  test("has each answer in the shape of its route", async () => {
    await withAgent({}, async (agent) => {
      assert.equal((await agent.ask(reportRoute)).agent.pid, process.pid);
      assert.deepEqual(await agent.ask(exchangesRoute), []);
      assert.deepEqual(await agent.ask(reloadRoute), { result: "stopped" });
      assert.deepEqual(await agent.answer(readinessRoute), { status: 200, text: "" });
    });
  });

  test("asks by the method of the route, and what is asked for is done", async () => {
    const done: string[] = [];
    const note = (what: string) => (): void => void done.push(what);
    await withAgent({ drain: async () => note("drain")(), quit: note("quit") }, async (agent) => {
      await agent.tell(drainRoute);
      await agent.tell(quitRoute);
      assert.deepEqual(done, ["drain", "quit"]);
    });
  });

  test("asks over a Unix socket alike", async () => {
    using folder = temporaryFolder();
    const address = { path: join(folder.path, "agent.sock"), mode: 0o600 };
    await withOther(
      '{"result":"superseded"}',
      async (agent) => {
        assert.deepEqual(await agent.ask(reloadRoute), { result: "superseded" });
      },
      address,
    );
  });

  test("a status other than 200 is an error that has the agent's words", async () => {
    const probe = (): Promise<never> => Promise.reject(new Error("nobody knows"));
    await withAgent({ probe, report: probe }, async (agent) => {
      await assert.rejects(agent.ask(reportRoute), failsWith("STATUS", /^status 500: nobody knows$/));
      assert.deepEqual(await agent.answer(readinessRoute), { status: 500, text: "nobody knows\n" });
    });
  });

  for (const body of ["", "ready", "[]", "{}", "null", '{"ready":true,"identity":{},"xds":null}']) {
    test(`takes ${JSON.stringify(body)} for no report`, async () => {
      await withOther(body, async (agent) => {
        await assert.rejects(
          agent.ask(reportRoute),
          failsWith("NOT_AN_AGENT", /^it answers \/debug\/status /),
        );
      });
    });
  }

  test("says why there is no answer", async () => {
    using folder = temporaryFolder();
    const nobody = new AgentClient({ path: join(folder.path, "agent.sock") });
    await assert.rejects(nobody.ask(reportRoute), failsWith("NO_ANSWER", /ENOENT/));
  });

  test("does not wait for ever, nor longer than it is wanted", async () => {
    await using silent = await silentServer();
    const agent = AgentClient.onPort(silent.port);
    await assert.rejects(
      agent.ask(reportRoute, { withinMs: 50 }),
      failsWith("NO_ANSWER", /did not answer \/debug\/status within 50 ms/),
    );
    await assert.rejects(
      agent.ask(reportRoute, { signal: AbortSignal.abort() }),
      failsWith("NO_ANSWER", /abort/),
    );
  });

  test("is told nothing that the configuration keeps secret", async () => {
    const secret = "correct-horse-battery-staple";
    const told = { result: "invalid", problems: [`the token ${secret} is odd`] } as const;
    const note = { ready: true, note: `with ${secret}` } as const;
    await withAgent(
      { reload: async () => told, probe: async () => note },
      async (agent) => {
        const answers = [
          JSON.stringify(await agent.ask(reloadRoute)),
          (await agent.answer(readinessRoute)).text,
        ];
        for (const answer of answers) {
          assert.doesNotMatch(answer, new RegExp(secret));
          assert.match(answer, /the token|with/);
        }
      },
      [secret],
    );
  });
});
