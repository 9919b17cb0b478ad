/** Probes of the application by TCP and gRPC through the status port, and what is no probe. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GrpcServer } from "../../../src/grpc/server.ts";
import { bareRequest, sendRaw, statusOf } from "../../support/raw-http.ts";
import {
  app,
  bodyOf,
  http,
  path,
  patientMs,
  probed,
  refusingPort,
} from "../../support/probed-application.ts";

describe("a probe of the application by TCP", () => {
  test("is a connection", async () => {
    await using server = await app();
    await probed({ kind: "tcp", port: server.port, timeoutMs: patientMs }, async (ask) => {
      assert.equal(statusOf(await ask()), 200);
    });
    await probed({ kind: "tcp", port: await refusingPort(), timeoutMs: patientMs }, async (ask) => {
      assert.equal(statusOf(await ask()), 500);
    });
  });
});

describe("a probe of the application by gRPC", () => {
  test("is SERVING", async () => {
    await using server = await GrpcServer.listen({ host: "127.0.0.1", port: 0 }, [
      {
        name: "grpc.health.v1.Health",
        unary: {
          Check: (request) =>
            Promise.resolve(
              Buffer.from(request.subarray(2).toString("utf8") === "down" ? "0802" : "0801", "hex"),
            ),
        },
      },
    ]);
    for (const [service, status] of [
      ["", 200],
      ["down", 500],
    ] as const) {
      await probed({ kind: "grpc", service, port: server.port, timeoutMs: patientMs }, async (ask) => {
        assert.equal(statusOf(await ask({ "user-agent": "kube-probe/1.33" })), status);
      });
    }
  });
});

test("a path that has no probe is refused with 400, and a page of a foreign site is refused too", async () => {
  await using server = await app();
  await probed(http(server.port, "/"), async (ask, port) => {
    for (const other of [
      "/app-health/",
      "/app-health/web/livez",
      `${path}/`,
      "/app-lifecycle/web/prestopz",
    ]) {
      const answer = await sendRaw({ host: "127.0.0.1", port }, bareRequest(`GET ${other}`));
      assert.equal(statusOf(answer), 400, other);
      assert.match(bodyOf(answer), /app prober config does not exists for/);
    }
    assert.equal(statusOf(await ask({ origin: "http://evil.example" })), 403);
  });
});
