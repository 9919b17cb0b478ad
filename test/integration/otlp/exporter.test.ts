import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { describe, test } from "node:test";
import { OtlpExporter } from "../../../src/otlp/exporter.ts";
import { otlpMetrics } from "../../../src/otlp/metrics.ts";
import type { OtlpOptions, OtlpTarget } from "../../../src/otlp/options.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { startOtlpReceiver } from "../../support/otlp-receiver.ts";
import { silentServer } from "../../support/silent-server.ts";
import { type TestLog, testLog } from "../../support/test-log.ts";

const target: Omit<OtlpTarget, "url"> = {
  protocol: "http/json",
  headers: { "x-team": "mesh" },
  timeoutMs: 10_000,
  compression: "none",
  tls: { rootPath: undefined, certificatePath: undefined, keyPath: undefined },
};

interface Running extends AsyncDisposable, TestLog {
  readonly exporter: OtlpExporter;
  readonly metrics: Metrics;
}

function run(url: string, changes: Partial<OtlpTarget> = {}, only?: "traces"): Running {
  const logged = testLog();
  const metrics = new Metrics("outrider_");
  const options: OtlpOptions = {
    traces: { ...target, url: `${url}/v1/traces`, ...changes },
    metrics: only === "traces" ? undefined : { ...target, url: `${url}/v1/metrics`, ...changes },
    metricsIntervalMs: 100,
    resource: { "service.name": "outrider" },
  };
  const exporter = new OtlpExporter(options, {
    version: "1.2.3",
    families: () => metrics.families(),
    redact: (text) => text.replaceAll("secret", "[redacted]"),
    metrics: otlpMetrics(metrics),
    log: logged.log,
    limits: {
      spansEveryMs: 20,
      pauses: { initialMs: 200, multiplier: 1, maxMs: 200, jitter: 0 },
      lastExportMs: 30_000,
    },
  });
  return { ...logged, exporter, metrics, [Symbol.asyncDispose]: () => exporter[Symbol.asyncDispose]() };
}

const push = { name: "xds.push", attributes: { "xds.resources": 3 } };

describe("telemetry over OTLP", () => {
  test("is spans below the start for as long as that lasts, each with its times, and without secrets", async () => {
    await using receiver = await startOtlpReceiver();
    const now = performance.now();
    {
      await using running = run(receiver.url);
      const { exporter } = running;
      exporter.starting("agent.start");
      exporter.take({ ...push, startedAt: now - 250, endedAt: now });
      exporter.started();
      const attributes = { reason: "a secret" };
      exporter.take({ name: "ca.sign", kind: "client", startedAt: now, attributes, error: "no secret" });
    }
    const [pushed, start, signed] = ["xds.push", "agent.start", "ca.sign"].map((name) =>
      receiver.spans().find((span) => span.name === name),
    );
    assert.equal(pushed?.parentSpanId, start?.spanId);
    assert.equal(Math.round((pushed?.seconds ?? 0) * 1e6), 250_000);
    assert.deepEqual(pushed?.attributes, { "xds.resources": 3 });
    assert.equal(pushed.error, undefined);
    assert.ok(Math.ceil((start?.seconds ?? 0) * 1e3) >= Math.floor(now), "it begins with the process");
    assert.equal(signed?.parentSpanId, undefined);
    assert.equal(signed?.error, "no [redacted]");
    assert.deepEqual(signed.attributes, { reason: "a [redacted]" });
    assert.deepEqual(receiver.resource(), { "service.name": "outrider" });
    assert.equal(receiver.exports[0]?.headers["x-team"], "mesh");
  });

  test("is complete at the end, with an export under way and more waiting than one export holds", async () => {
    const held: ServerResponse[] = [];
    await using receiver = await startOtlpReceiver((response) => void held.push(response));
    const running = run(receiver.url, {}, "traces");
    const { exporter, lines } = running;
    exporter.take({ ...push, startedAt: 0 });
    await eventually("an export under way", () => assert.equal(held.length, 1), { withinMs: 10_000 });
    for (let count = 0; count < 600; count += 1) exporter.take({ ...push, startedAt: 0 });
    const ended = running[Symbol.asyncDispose]();
    await eventually("the others", () => assert.equal(held.length, 3), { withinMs: 10_000 });
    for (const response of held) response.writeHead(200).end("{}");
    await ended;
    assert.equal(receiver.spans().length, 601);
    assert.deepEqual(lines, []);
    assert.match(await running.metrics.render(), /signal="traces",result="delivered"\} 3\n/);
  });

  test("has no text that is as long as others like, and says of a start that it never came about", async () => {
    await using receiver = await startOtlpReceiver();
    {
      await using running = run(receiver.url, {}, "traces");
      running.exporter.starting("agent.start");
      const words = `${"x".repeat(1_020)}secret${"y".repeat(1_000_000)}`;
      running.exporter.take({ ...push, startedAt: 0, attributes: { words }, error: words });
    }
    const [start, pushed] = ["agent.start", "xds.push"].map((name) =>
      receiver.spans().find((span) => span.name === name),
    );
    const kept = `${"x".repeat(1_020)}[red…`;
    assert.equal(pushed?.error, kept);
    assert.deepEqual(pushed.attributes, { words: kept });
    assert.equal(start?.error, "it ended before it had started");
  });

  for (const [protocol, answer] of [
    ["http/json", Buffer.from('{"partialSuccess":{"rejectedSpans":"2","errorMessage":"too old"}}')],
    // ExportTraceServiceResponse: partial_success (1) of rejected_spans (1) and error_message (2).
    ["http/protobuf", Buffer.from("0a0b08021207746f6f206f6c64", "hex")],
  ] as const)
    test(`that is not all taken is counted, and said once, in ${protocol}`, async () => {
      let isPartial = true;
      await using receiver = await startOtlpReceiver((response) => {
        response.writeHead(200).end(isPartial ? answer : protocol === "http/json" ? "{}" : "");
      });
      await using running = run(receiver.url, { protocol }, "traces");
      const { exporter, lines, metrics } = running;
      const exported = async (count: number): Promise<void> => {
        exporter.take({ ...push, startedAt: 0 });
        await eventually(
          "the export",
          async () => {
            const text = await metrics.render();
            const done = [...text.matchAll(/signal="traces",result="(?:partial|delivered)"\} (\d+)$/gm)];
            assert.equal(
              done.reduce((sum, [, value]) => sum + Number(value), 0),
              count,
            );
          },
          { withinMs: 10_000 },
        );
      };
      await exported(1);
      await exported(2);
      isPartial = false;
      await exported(3);
      const text = await metrics.render();
      assert.match(text, /^outrider_otlp_rejected_items_total\{signal="traces"\} 4$/m);
      assert.match(text, /signal="traces",result="partial"\} 2$/m);
      assert.match(text, /signal="traces",result="delivered"\} 1$/m);
      assert.equal(lines.filter((line) => line.includes("does not take all")).length, 1);
      assert.match(lines.join("\n"), /reason="?too old"? rejected=2/);
      assert.match(lines.join("\n"), /takes all of the telemetry again/);
    });

  test("is metrics under their names, of every kind", async () => {
    await using receiver = await startOtlpReceiver();
    await using running = run(receiver.url);
    const { metrics } = running;
    metrics.counter("pushes_total", "Pushes.", ["type"]).inc({ type: "Cluster" }, 4);
    metrics.gauge("left", "Left.").set(-1.5);
    metrics.gauge("endless", "It has no word in JSON.").set(Infinity);
    const latency = metrics.histogram("latency_seconds", "Latency.", [0.1, 1], ["type"]);
    for (const value of [0.05, 0.5, 0.6, 9]) latency.observe(value, { type: "Cluster" });

    const families = await eventually(
      "an export of metrics",
      () => {
        const all = receiver.metrics();
        assert.ok(all.has("outrider_latency_seconds"));
        return all;
      },
      { withinMs: 10_000 },
    );

    const attributes = [{ key: "type", value: { stringValue: "Cluster" } }];
    const pointOf = (name: string, kind: string): unknown => {
      const family = families.get(name) as Record<string, { dataPoints: Record<string, unknown>[] }>;
      const { startTimeUnixNano: _, timeUnixNano: __, ...rest } = family[kind]?.dataPoints[0] ?? {};
      return rest;
    };
    assert.deepEqual(pointOf("outrider_pushes_total", "sum"), { attributes, asDouble: 4 });
    assert.deepEqual(pointOf("outrider_left", "gauge"), { attributes: [], asDouble: -1.5 });
    assert.deepEqual(pointOf("outrider_latency_seconds", "histogram"), {
      attributes,
      count: 4,
      sum: 10.15,
      bucketCounts: [1, 2, 1],
      explicitBounds: [0.1, 1],
    });
    assert.match(
      JSON.stringify(families.get("outrider_pushes_total")),
      /"aggregationTemporality":2,"isMonotonic":true/,
    );
    assert.deepEqual(pointOf("outrider_endless", "gauge"), {});
  });

  test("is in protobuf, and compressed, where that is asked for", async () => {
    await using receiver = await startOtlpReceiver();
    {
      await using running = run(receiver.url, { protocol: "http/protobuf", compression: "gzip" }, "traces");
      running.exporter.take({ ...push, startedAt: 0 });
    }
    const [{ path, headers, body } = assert.fail("nothing came")] = receiver.exports;
    assert.equal(path, "/v1/traces");
    assert.equal(headers["content-type"], "application/x-protobuf");
    assert.equal(headers["content-encoding"], "gzip");
    // Field 1 of each message; the span's name is field 5.
    assert.equal(body[0], 0x0a);
    assert.ok(body.includes(Buffer.from("\x2a\x08xds.push")));
  });

  test("that is not taken is said once, counted, and sent again after a pause", async () => {
    let status = 400;
    await using receiver = await startOtlpReceiver((response) => response.writeHead(status).end());
    await using running = run(receiver.url, {}, "traces");
    const { exporter, lines, metrics } = running;
    const sent = async (pattern: RegExp): Promise<void> => {
      await eventually(
        String(pattern),
        async () => {
          exporter.take({ ...push, startedAt: performance.now() });
          assert.match(await metrics.render(), pattern);
        },
        { withinMs: 20_000, everyMs: 20 },
      );
    };
    await sent(/exports_total\{signal="traces",result="failed"\} [2-9]/);
    await sent(/exports_total\{signal="traces",result="skipped"\} [1-9]/);
    status = 200;
    await sent(/exports_total\{signal="traces",result="delivered"\} [1-9]/);
    const endpoint = new URL(receiver.url).host;
    assert.deepEqual(lines, [
      `warn\ttelemetry is not delivered to the OTLP endpoint\tsignal=traces endpoint=${endpoint} reason="it answered with status 400"`,
      `info\tthe OTLP endpoint takes telemetry again\tsignal=traces endpoint=${endpoint}`,
    ]);
  });

  test("is tried again within its time where the endpoint is busy", async () => {
    const answers = [503, 429, 200];
    await using receiver = await startOtlpReceiver((response) =>
      response.writeHead(answers.shift() ?? 200).end(),
    );
    await using running = run(receiver.url, { timeoutMs: 60_000 }, "traces");
    running.exporter.take({ ...push, startedAt: performance.now() });
    await eventually(
      "the third try",
      async () => {
        assert.match(await running.metrics.render(), /result="delivered"\} 1\n/);
      },
      { withinMs: 30_000 },
    );
    assert.equal(receiver.spans().length, 3);
    assert.deepEqual(running.lines, []);
  });

  for (const [what, open] of [
    ["says nothing", silentServer],
    [
      "is not there",
      async () => {
        const [port] = await freePorts(1);
        return { port, [Symbol.asyncDispose]: async () => undefined };
      },
    ],
  ] as const) {
    test(`to an endpoint that ${what} fails in its time, and holds no end up`, async () => {
      await using server = await open();
      const running = run(`http://127.0.0.1:${server.port}`, { timeoutMs: 100 });
      running.exporter.take({ ...push, startedAt: performance.now() });
      await eventually(
        "a failure of each signal",
        async () => {
          const text = await running.metrics.render();
          assert.match(text, /signal="traces",result="failed"/);
          assert.match(text, /signal="metrics",result="failed"/);
        },
        { withinMs: 10_000 },
      );
      await running[Symbol.asyncDispose]();
      assert.equal(running.lines.filter((line) => line.startsWith("warn")).length, 2);
    });
  }
});
