/** Who has said all that it has to say, as `nc -N` does, still waits for its answer. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { AppProbes } from "../../../src/app-probes/app-probes.ts";
import { appHealthRoute } from "../../../src/app-probes/route.ts";
import { ChunkedBody } from "../../../src/net/chunked-body.ts";
import { text } from "../../../src/status/contract/route.ts";
import { readinessRoute } from "../../../src/status/routes/readiness.ts";
import { listenForStatus } from "../../../src/status/server.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { Redactor } from "../../../src/telemetry/redactor.ts";
import { saying, startSource } from "../../support/metric-source.ts";
import { sendAndHalfClose } from "../../support/raw-http.ts";
import { startScrapePort } from "../../support/scrape-port.ts";
import { statusParts } from "../../support/status-parts.ts";
import { testLog } from "../../support/test-log.ts";

/** Asked in between whether it is still there. */
const interim = String.raw`(?:HTTP/1\.1 102 Processing\r\n\r\n)`;

function get(path: string, version = "1.1"): string {
  return `GET ${path} HTTP/${version}\r\nhost: localhost\r\n\r\n`;
}

/** The body of an answer in chunks, all of which has come. */
function chunked(answer: string): Buffer {
  const bytes = Buffer.from(answer, "latin1");
  const from = answer.indexOf("\r\n\r\n", answer.indexOf("HTTP/1.1 200")) + 4;
  const body = new ChunkedBody();
  const end = body.take(bytes, from, bytes.length);
  assert.ok(body.isDone);
  return bytes.subarray(from, end);
}

describe("a client that half-closes its connection", () => {
  for (const encoding of ["identity", "gzip"])
    test(`has its scrape in ${encoding}, also of a source that takes its time`, async () => {
      await using source = await startSource((request, response) => {
        setTimeout(() => saying("slow 1\n")(request, response), 1_500);
      });
      await using port = await startScrapePort({
        mergesEnvoy: false,
        targets: [{ port: source.port, path: "/metrics" }],
      });
      const asked = `GET /metrics HTTP/1.1\r\nhost: localhost\r\naccept-encoding: ${encoding}\r\n\r\n`;
      const answer = await sendAndHalfClose({ host: "127.0.0.1", port: port.port }, asked);
      assert.match(answer, new RegExp(`^${interim}*HTTP/1\\.1 200 OK\r\n`));
      const body = chunked(answer);
      assert.match((encoding === "gzip" ? gunzipSync(body) : body).toString("utf8"), /^slow 1$/m);
      assert.deepEqual(port.log, []);
    });

  test("has its probes: of the agent, and of an application that takes its time", async () => {
    const application = createServer((_, response) => {
      setTimeout(() => response.writeHead(202).end("fine"), 1_500);
    });
    application.listen(0, "127.0.0.1");
    await once(application, "listening");
    const path = "/app-health/web/readyz";
    const { log } = testLog();
    const probes = new AppProbes(
      {
        probers: new Map([
          [
            path,
            {
              kind: "http",
              scheme: "http",
              path: "/",
              port: (application.address() as AddressInfo).port,
              timeoutMs: 60_000,
            },
          ],
        ]),
        host: "127.0.0.1",
        sourceAddress: undefined,
        statusPort: 15020,
        offersHttp2: false,
        keepsConnections: false,
      },
      { log, metrics: new Metrics("outrider_") },
    );
    await using server = await listenForStatus(
      { host: "127.0.0.1", port: 0, metricsLocalOnly: false },
      [readinessRoute, appHealthRoute],
      statusParts({ probeApplication: (asked) => probes.answer(asked) }),
      { log, redactor: new Redactor() },
    );
    const target = { host: "127.0.0.1", port: server.port };
    assert.match(await sendAndHalfClose(target, get("/healthz/ready")), /^HTTP\/1\.1 (?:200|503) /);
    const probed = await sendAndHalfClose(target, get(path));
    assert.match(probed, new RegExp(`^${interim}+HTTP/1\\.1 202 `));
    assert.ok(probed.endsWith("fine"));
    // HTTP/1.0 has no interim responses.
    assert.match(await sendAndHalfClose(target, get(path, "1.0")), /^HTTP\/1\.1 202 /);
    application.close();
  });

  test("has all answers that it has asked for", async () => {
    await using server = await listenForStatus(
      { host: "127.0.0.1", port: 0, metricsLocalOnly: false },
      [
        {
          ...readinessRoute,
          path: "/slow",
          handle: async (_, { gone }) => {
            gone();
            await new Promise((resolve) => setTimeout(resolve, 100));
            return text(200, "slow");
          },
        },
      ],
      {},
      { log: testLog().log, redactor: new Redactor() },
    );
    const answer = await sendAndHalfClose({ host: "127.0.0.1", port: server.port }, get("/slow").repeat(3));
    assert.equal(answer.match(/slow/g)?.length, 3, answer);
  });
});
