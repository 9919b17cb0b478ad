/** OTLP over gRPC, to collectors of another implementation. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { Metadata, status } from "@grpc/grpc-js";
import type { ExportResponse } from "@opentelemetry/otlp-exporter-base";
import { OtlpExporter } from "../../../src/otlp/exporter.ts";
import { otlpMetrics } from "../../../src/otlp/metrics.ts";
import type { OtlpTarget } from "../../../src/otlp/options.ts";
import { OtlpTransport } from "../../../src/otlp/transport.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { type AnswerExport, startOtlpCollector } from "../../support/otlp-collector.ts";
import { silentServer } from "../../support/silent-server.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { testLog } from "../../support/test-log.ts";
import { TestPki, validity } from "../../support/test-pki.ts";

function target(port: number, changes: Partial<OtlpTarget> = {}): OtlpTarget {
  return {
    url: `http://127.0.0.1:${port}`,
    protocol: "grpc",
    headers: { "x-team": "mesh" },
    timeoutMs: 60_000,
    compression: "none",
    tls: { rootPath: undefined, certificatePath: undefined, keyPath: undefined },
    ...changes,
  };
}

interface Sent {
  readonly status: ExportResponse["status"];
  readonly error?: unknown;
}

function send(to: OtlpTarget, body: Uint8Array = Buffer.from("export")): Promise<Sent> {
  return new OtlpTransport(to, "traces").send(body, to.timeoutMs);
}

const nothing = Buffer.alloc(0);

/** A google.rpc.Status with a google.rpc.RetryInfo of one second. */
const comeAgain = new Metadata();
comeAgain.set(
  "grpc-status-details-bin",
  Buffer.concat([
    Buffer.from("0808120462757379", "hex"),
    Buffer.from([0x1a, 48, 0x0a, 40]),
    Buffer.from("type.googleapis.com/google.rpc.RetryInfo"),
    Buffer.from("12040a020801", "hex"),
  ]),
);

describe("telemetry over OTLP by gRPC", () => {
  test("is spans and metrics, with its headers, and what was not taken of it is counted", async () => {
    // ExportTraceServiceResponse: partial_success (1) of rejected_spans (1) and error_message (2).
    const partial = Buffer.from("0a0b08021207746f6f206f6c64", "hex");
    await using collector = await startOtlpCollector((done, { path }) => {
      done(null, path.includes("Trace") ? partial : nothing);
    });
    const { log, lines } = testLog();
    const metrics = new Metrics("outrider_");
    await using exporter = new OtlpExporter(
      {
        ...{ traces: target(collector.port), metrics: target(collector.port) },
        ...{ metricsIntervalMs: 100, resource: { "service.name": "outrider" } },
      },
      {
        ...{ version: "1.2.3", families: () => metrics.families(), redact: (text) => text, log },
        metrics: otlpMetrics(metrics),
        limits: {
          spansEveryMs: 20,
          pauses: { initialMs: 200, multiplier: 1, maxMs: 200, jitter: 0 },
          lastExportMs: 30_000,
        },
      },
    );
    exporter.take({ name: "xds.push", startedAt: 0, attributes: { "xds.resources": 3 } });
    await eventually(
      "an export of each signal",
      async () => {
        const text = await metrics.render();
        assert.match(text, /signal="traces",result="partial"\} 1$/m);
        assert.match(text, /signal="metrics",result="delivered"\} [1-9]/m);
        assert.match(text, /^outrider_otlp_rejected_items_total\{signal="traces"\} 2$/m);
      },
      { withinMs: 20_000 },
    );
    const of = (word: string) => collector.exports.find(({ path }) => path.includes(word));
    assert.ok(of("TraceService")?.body.includes("xds.push"));
    assert.ok(of("MetricsService")?.body.includes("outrider_otlp_exports_total"));
    for (const { metadata } of collector.exports) assert.deepEqual(metadata.get("x-team"), ["mesh"]);
    assert.match(lines.join("\n"), /does not take all.*reason="too old" rejected=2/);
  });

  for (const bytes of [10, 1_000_000])
    test(`is compressed by gzip: ${bytes} bytes`, async () => {
      await using collector = await startOtlpCollector();
      const body = Buffer.from("abcdefghij".repeat(bytes / 10));
      const { status: result } = await send(target(collector.port, { compression: "gzip" }), body);
      assert.equal(result, "success");
      const [exported] = collector.exports;
      assert.deepEqual(exported?.body, body);
    });

  test("is compressed on its way", async () => {
    const server = createServer();
    const received = new Promise<{ readonly headers: IncomingHttpHeaders; readonly bytes: Buffer }>(
      (resolve, reject) => {
        server.on("stream", (stream, headers) => {
          buffer(stream).then((bytes) => {
            resolve({ headers, bytes });
          }, reject);
          stream.respond({ ":status": 200, "content-type": "application/grpc", "grpc-status": "0" });
          stream.end();
        });
      },
    );
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const sent = send(target((server.address() as AddressInfo).port, { compression: "gzip" }));
    const { headers, bytes } = await received;
    assert.equal(headers["grpc-encoding"], "gzip");
    assert.deepEqual([bytes[0], bytes.readUInt32BE(1)], [1, bytes.length - 5]);
    assert.equal(gunzipSync(bytes.subarray(5)).toString("utf8"), "export");
    await sent;
    server.close();
  });

  for (const [what, failure, tries] of [
    ["is busy", { code: status.UNAVAILABLE, details: "busy" }, 2],
    ["says when to come again", { code: status.RESOURCE_EXHAUSTED, metadata: comeAgain }, 2],
    ["has no room, and does not say when it will", { code: status.RESOURCE_EXHAUSTED, details: "full" }, 1],
    ["refuses it", { code: status.UNAUTHENTICATED, details: "no such key" }, 1],
    ["does not know the service", { code: status.UNIMPLEMENTED }, 1],
  ] as const)
    test(`is tried ${tries === 1 ? "once" : "again"} where the collector ${what}`, async () => {
      let asked = 0;
      const answer: AnswerExport = (done) => {
        asked += 1;
        if (asked === 1) done(failure);
        else done(null, nothing);
      };
      await using collector = await startOtlpCollector(answer);
      const sent = await send(target(collector.port));
      assert.equal(asked, tries);
      assert.equal(sent.status, tries === 1 ? "failure" : "success");
      if ("details" in failure && tries === 1) assert.match(String(sent.error), new RegExp(failure.details));
    });

  test("is not delivered where the answer is longer than an answer may be", async () => {
    await using collector = await startOtlpCollector((done) => {
      done(null, Buffer.alloc(100_000));
    });
    const { status: result, error } = await send(target(collector.port));
    assert.equal(result, "failure");
    assert.match(String(error), /100000 bytes, where 65536 are taken/);
  });

  test("fails in its time where nobody is, where nothing is said, and where no gRPC is spoken", async () => {
    const [port = 0] = await freePorts(1);
    await using silent = await silentServer();
    await using hanging = await startOtlpCollector(() => undefined);
    for (const [of, why] of [
      [port, /ECONNREFUSED/],
      [silent.port, /no answer/],
      [hanging.port, /no answer/],
    ] as const) {
      const { status: result, error } = await send(target(of, { timeoutMs: 300 }));
      assert.equal(result, "failure");
      assert.match(String(error), why);
    }
  });

  test("ends with the one who sends it", async () => {
    await using hanging = await startOtlpCollector(() => undefined);
    const to = target(hanging.port, { timeoutMs: 600_000 });
    const transport = new OtlpTransport(to, "traces");
    const sending = transport.send(nothing, to.timeoutMs);
    transport.shutdown();
    assert.equal((await sending).status, "failure");
  });

  test("authenticates its collector, and itself where it has a certificate, by files that are read anew", async () => {
    using folder = temporaryFolder();
    const [pki, stranger] = [await TestPki.create(), await TestPki.create()];
    const valid = validity(-60_000, 3_600_000);
    const server = await pki.serverKeyPair(["localhost"], valid);
    const client = await pki.serverKeyPair(["agent"], valid);
    await using collector = await startOtlpCollector(undefined, {
      certificateChain: server.certificatePem,
      privateKey: server.privateKeyPem,
      clientRoots: pki.rootPem,
    });
    const path = (name: string): string => `${folder.path}/${name}.pem`;
    const tls = { rootPath: path("root"), certificatePath: path("cert"), keyPath: path("key") };
    const url = `https://localhost:${collector.port}`;
    const secured = target(collector.port, { url, timeoutMs: 1_500, tls });
    writeFileSync(path("cert"), client.certificatePem);
    writeFileSync(path("key"), client.privateKeyPem);
    writeFileSync(path("root"), stranger.rootPem);
    const refused = await send(secured);
    assert.equal(refused.status, "failure");
    assert.match(String(refused.error), /certificate/);

    writeFileSync(path("root"), pki.rootPem);
    assert.equal((await send({ ...secured, timeoutMs: 60_000 })).status, "success");

    const unnamed = { ...secured, tls: { ...tls, certificatePath: undefined, keyPath: undefined } };
    assert.equal((await send(unnamed)).status, "failure");
    assert.equal(collector.exports.length, 1);
  });
});
