/** One scrape of a sidecar: the agent's metrics, a real Envoy's, and those of applications good and bad. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { eventually } from "../support/eventually.ts";
import { endless, type MetricSource, saying, startSource } from "../support/metric-source.ts";
import { hasPrometheus, Prometheus, promtool, type Series } from "../support/prometheus.ts";
import { scrapeAt } from "../support/scrape-port.ts";
import { StandaloneSidecar } from "../support/standalone-sidecar.ts";
import { temporaryFolder, type TemporaryFolder } from "../support/temporary-folder.ts";

const appText =
  '# HELP app_total It.\n# TYPE app_total counter\napp_total{path="/"} 3\n# TYPE process_cpu gauge\nprocess_cpu 1\n';
const badText =
  "# TYPE envoy_server_live histogram\nenvoy_server_live_sum 1\nprocess_cpu 2\n<html>\nbad 1\nhalf";

describe("a scrape of a sidecar", () => {
  let folder: TemporaryFolder;
  let app: MetricSource;
  let bad: MetricSource;
  let hanging: MetricSource;
  let sidecar: StandaloneSidecar;

  before(async () => {
    folder = temporaryFolder();
    app = await startSource(saying(appText));
    bad = await startSource(saying(badText));
    hanging = await startSource((request, response) => {
      if (request.url === "/endless") endless(Buffer.from("# a\nhuge 1\n".repeat(6_000)))(request, response);
    });
    sidecar = await StandaloneSidecar.ready({
      folder: folder.path,
      flags: [
        "--metricsTargets",
        `${hanging.port}:/endless`,
        "--metricsMaxBytes",
        "2000000",
        "--metricsDrop",
        "envoy_http_.*",
      ],
      env: {
        ISTIO_PROMETHEUS_ANNOTATIONS: JSON.stringify({
          scrape: "true",
          targets: [app, bad, hanging].map(({ port }) => ({ port: String(port), path: "/metrics" })),
        }),
      },
    });
  });

  after(async () => {
    await sidecar?.[Symbol.asyncDispose]();
    for (const source of [app, bad, hanging]) await source?.[Symbol.asyncDispose]();
    folder?.[Symbol.dispose]();
  });

  test("has everything that is whole, and says what is not", async () => {
    const headers = { "x-prometheus-scrape-timeout-seconds": "12" };
    // On a machine that is too busy for it, one that behaves may take longer than the scraper waits.
    const { text } = await eventually(
      "those that behave are whole",
      async () => {
        const scraped = await scrapeAt(sidecar.ports.status, { headers });
        assert.deepEqual(scraped.up, {
          envoy: 1,
          [`application:${app.port}/metrics`]: 1,
          [`application:${bad.port}/metrics`]: 1,
          [`application:${hanging.port}/metrics`]: 0,
          [`application:${hanging.port}/endless`]: 0,
        });
        return scraped;
      },
      { withinMs: 40_000 },
    );
    assert.match(text, /^istio_agent_scrapes_total \d+$/m);
    assert.match(text, /^istio_agent_istio_build\{component="agent",tag="[\d.]+"\} 1$/m);
    assert.match(text, /^istio_agent_startup_duration_seconds \d/m);
    assert.match(text, /^envoy_server_live\{\} 1$/m);
    assert.match(text, /^app_total\{path="\/"\} 3$/m);
    assert.match(text, /^bad 1$/m);
    assert.match(text, /^process_cpu 1$/m);
    assert.doesNotMatch(text, /^(?:process_cpu 2|envoy_server_live_sum.*|half|<html>|envoy_http_.*)$/m);
    const types = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    assert.equal(new Set(types).size, types.length);
  });

  test("forwards its query to Envoy, and its time-out", async () => {
    await eventually(
      "Envoy has answered in time",
      async () => {
        const { text } = await scrapeAt(sidecar.ports.status, {
          path: "/metrics?filter=^server.live$",
          headers: { "x-prometheus-scrape-timeout-seconds": "6" },
        });
        const own = [...text.matchAll(/^envoy_\w+/gm)].map(([name]) => name);
        assert.deepEqual(own, ["envoy_server_live"]);
      },
      { withinMs: 20_000 },
    );
    const last = app.requests.at(-1);
    assert.equal(last?.url, "/metrics");
    assert.equal(last?.headers["x-prometheus-scrape-timeout-seconds"], "6");
  });

  test("is compressed as the scraper likes it", async () => {
    for (const [encoding, decode] of [
      ["gzip", gunzipSync],
      ["zstd", zstdDecompressSync],
    ] as const) {
      const accepting = { "accept-encoding": encoding, "x-prometheus-scrape-timeout-seconds": "2" };
      await eventually(
        "Envoy has answered in time",
        async () => {
          const { headers, body } = await scrapeAt(sidecar.ports.status, { headers: accepting });
          assert.equal(headers["content-encoding"], encoding);
          assert.match(decode(body).toString("utf8"), /^outrider_scrape_up\{source="envoy"\} 1$/m);
        },
        { withinMs: 20_000 },
      );
    }
  });

  test("is what a real Prometheus takes, with nothing lost on the way", async (t) => {
    if (!hasPrometheus(t)) return;
    const target = `127.0.0.1:${sidecar.ports.status}`;
    await using prometheus = await Prometheus.start(target, "/stats/prometheus", 3);
    const is = (value: number) => (series: readonly Series[]) => {
      assert.deepEqual(
        series.map((one) => one.value),
        [value],
      );
    };
    await prometheus.eventually('up{job="outrider"}', is(1));
    await prometheus.eventually('app_total{path="/"}', is(3));
    for (const name of ["envoy_server_live", "bad", "process_cpu", 'outrider_scrape_up{source="envoy"}'])
      await prometheus.eventually(name, is(1));
    await prometheus.eventually(`outrider_scrape_up{source="application:${hanging.port}/endless"}`, is(0));
    await prometheus.eventually("istio_agent_scrapes_total > 0", ({ length }) => assert.equal(length, 1));
    // Each sample is a series of its own, beside the five that Prometheus makes.
    await prometheus.eventually(
      'count({job="outrider"}) - 5 == on() scrape_samples_scraped{job="outrider"}',
      ({ length }) => assert.equal(length, 1),
    );
    await prometheus.eventually(
      'sum(outrider_scrape_samples) + count({__name__=~"(istio_agent|outrider)_.+"}) == on() scrape_samples_scraped{job="outrider"}',
      ({ length }) => assert.equal(length, 1),
    );
    await prometheus.eventually(
      'sum({__name__=~"prometheus_target_scrapes_(sample_.+|exceeded_.+|cache_flush_forced)_total"})',
      is(0),
    );
    assert.deepEqual(
      prometheus.lines.filter((line) => line.includes("scrape")),
      [],
    );
  });

  test("is what promtool takes, which has nothing against our own names", async (t) => {
    if (!hasPrometheus(t)) return;
    const { text } = await scrapeAt(sidecar.ports.status, {
      headers: { "x-prometheus-scrape-timeout-seconds": "2" },
    });
    const { code, output } = await promtool(["check", "metrics"], text);
    // 3 is for names that it does not like: Istio's and Envoy's.
    assert.ok(code === 0 || code === 3, output.join("\n"));
    assert.deepEqual(
      output.filter((line) => line.startsWith("outrider_")),
      [],
    );
  });

  test("holds no stop up", async () => {
    // Nothing ends it but the agent's end.
    const scrape = assert.rejects(
      scrapeAt(sidecar.ports.status, { headers: { "x-prometheus-scrape-timeout-seconds": "100" } }),
    );
    const before = hanging.requests.length;
    while (hanging.requests.length === before) await new Promise((resolve) => setImmediate(resolve));
    sidecar.agent.kill("SIGTERM");
    assert.deepEqual(await sidecar.agent.exitWithin(15_000), { kind: "exited", code: 0 });
    await scrape;
  });
});
