/** `outrider wait` says what it waits for. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type WaitOptions, waitForSidecar } from "../../../src/cli/sidecar.ts";
import { HttpServer } from "../../../src/net/http-server.ts";
import { freePorts } from "../../support/free-ports.ts";

const never = new AbortController().signal;

function optionsFor(port: number, agentPort: number | undefined): WaitOptions {
  return {
    url: new URL(`http://127.0.0.1:${port}/healthz/ready`),
    ...{ agentPort, timeoutMs: 20_000, requestTimeoutMs: 5_000, periodMs: 1 },
  };
}

/** Answers with each of `answers` in turn, and then with 200. */
async function scripted(answers: readonly string[]): Promise<HttpServer> {
  let asked = 0;
  return HttpServer.listen({ host: "127.0.0.1", port: 0 }, (_, response) => {
    const answer = answers[asked];
    asked += 1;
    response.writeHead(answer === undefined ? 200 : 503).end(answer);
  });
}

describe("waiting for a sidecar", () => {
  test("tells each reason once, growing numbers left aside", async () => {
    const reasons = [
      "CDS 0 accepted",
      "CDS 1 accepted",
      "Envoy's workers have not started",
      "CDS 2 accepted",
    ];
    await using server = await scripted(reasons.map((reason) => JSON.stringify({ ready: false, reason })));
    const told: string[] = [];
    const result = await waitForSidecar(optionsFor(server.port, undefined), never, (reason) =>
      told.push(reason),
    );
    assert.deepEqual(result, { kind: "ready" });
    const said = `http://127.0.0.1:${server.port}/healthz/ready answered with status 503: `;
    assert.deepEqual(told, [
      `${said}CDS 0 accepted`,
      `${said}Envoy's workers have not started`,
      `${said}CDS 2 accepted`,
    ]);
  });

  test("says nothing of a start that is not over its time", async () => {
    await using server = await scripted(["", "<html>", "[1]"]);
    const told: string[] = [];
    const tell = (reason: string): number => told.push(reason);
    const result = await waitForSidecar(optionsFor(server.port, undefined), never, tell, 60_000);
    assert.deepEqual([result, told], [{ kind: "ready" }, []]);
  });

  test("takes an answer that gives no reason", async () => {
    await using server = await scripted(["", "<html>", "[1]"]);
    const told: string[] = [];
    await waitForSidecar(optionsFor(server.port, undefined), never, (reason) => told.push(reason));
    assert.equal(told.length, 1);
    assert.match(told[0] ?? "", /answered with status 503$/);
  });

  test("asks the agent for the reason and the remedy while Envoy does not answer", async () => {
    const [closed = 0] = await freePorts(1);
    const conditions = [
      { name: "process", status: "holds", since: "" },
      { name: "certificate", status: "fails", since: "", remedy: "ask the CA" },
    ];
    const answer = JSON.stringify({ ready: false, reason: "there is no workload certificate", conditions });
    await using agent = await HttpServer.listen({ host: "127.0.0.1", port: 0 }, (_, response) => {
      response.writeHead(503).end(answer);
    });
    const stop = new AbortController();
    const told: string[] = [];
    await waitForSidecar(optionsFor(closed, agent.port), stop.signal, (reason) => {
      told.push(reason);
      stop.abort();
    });
    assert.match(told[0] ?? "", /^there is no workload certificate → ask the CA \(http:.*ECONNREFUSED/);
  });
});
