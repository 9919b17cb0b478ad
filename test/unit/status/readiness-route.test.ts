import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Readiness } from "../../../src/status/contract/readiness.ts";
import type { Answer } from "../../../src/status/contract/route.ts";
import { readinessRoute } from "../../../src/status/routes/readiness.ts";

const unready: Readiness = {
  ready: false,
  reason: "Envoy is draining",
  conditions: [
    { name: "process", status: "fails", since: "1970-01-01T00:00:01.000Z", reason: "Envoy is draining" },
  ],
};

async function asked(readiness: Readiness, method: string, accept?: string): Promise<Answer> {
  return readinessRoute.handle(
    { probe: () => Promise.resolve(readiness) },
    {
      ...{ path: "/healthz/ready", method, from: "10.0.0.1", search: "", query: new URLSearchParams() },
      headers: accept === undefined ? {} : { accept },
      giveWay: () => Promise.resolve(),
      gone: () => new AbortController().signal,
    },
  );
}

describe("the answer of an agent that is not ready", () => {
  for (const accept of [undefined, "*/*", "application/json", "text/plain, application/json", "text/html"]) {
    test(`says what fails to whoever accepts ${accept ?? "anything"}`, async () => {
      const answer = await asked(unready, "GET", accept);
      assert.deepEqual([answer.kind, "status" in answer && answer.status], ["json", 503]);
      assert.equal(answer.kind === "json" && answer.value, unready);
    });
  }

  for (const [method, accept] of [
    ["GET", "text/plain"],
    ["GET", " text/plain; charset=utf-8"],
    ["HEAD", "application/json"],
    ["HEAD", undefined],
  ] as const) {
    test(`is empty for ${method} that accepts ${accept ?? "anything"}`, async () => {
      assert.deepEqual(await asked(unready, method, accept), { kind: "text", status: 503, text: "" });
    });
  }
});

test("an agent that is ready answers with what one should know all the same", async () => {
  assert.deepEqual(await asked({ ready: true }, "GET"), { kind: "text", status: 200, text: "" });
  const noted = await asked({ ready: true, note: "stale" }, "GET");
  assert.deepEqual(noted, { kind: "text", status: 200, text: "stale\n" });
});
