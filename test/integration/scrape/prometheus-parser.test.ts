/** Prometheus' own parser takes what is merged, in both formats, whatever applications write. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { saying, startSource } from "../../support/metric-source.ts";
import { familiesOf } from "../../support/prometheus-parser.ts";
import { startScrapePort } from "../../support/scrape-port.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const envoyText =
  '# TYPE envoy_rq_total counter\nenvoy_rq_total{x="1"} 1\n# TYPE envoy_rq counter\nenvoy_rq{} 1\n# TYPE envoy_ms histogram\nenvoy_ms_bucket{le="1"} 1\nenvoy_ms_bucket{le="+Inf"} 2\nenvoy_ms_sum{} 1\nenvoy_ms_count{} 2\n';
const openMetrics =
  '# TYPE rq counter\n# HELP rq It "is".\nrq_total{x="1"} 5 # {trace_id="x"} 0.5\nrq_created{x="1"} 17\n# TYPE envoy_ms gauge\nenvoy_ms 1\n# EOF\n';

test("Prometheus' own parser takes merged metrics as text and as OpenMetrics", async () => {
  using folder = temporaryFolder();
  const envoySocket = join(folder.path, "admin.sock");
  await using _envoy = await startSource(saying(envoyText), envoySocket);
  await using stack = new AsyncDisposableStack();
  const targets: { port: number; path: string }[] = [];
  const corpus = join(import.meta.dirname, "../../fuzz/corpus/exposition");
  for (const name of globSync("*", { cwd: corpus })) {
    const text = readFileSync(join(corpus, name)).subarray(1);
    const source = stack.use(await startSource(saying(text, "application/openmetrics-text; version=1.0.0")));
    targets.push({ port: source.port, path: "/metrics" });
  }
  const good = stack.use(
    await startSource(saying(openMetrics, "application/openmetrics-text; version=1.0.0")),
  );
  targets.push({ port: good.port, path: "/metrics" });
  await using port = await startScrapePort({ envoySocket, targets });
  const text = await port.scrape();
  const other = await port.scrape({ headers: { accept: "application/openmetrics-text;version=1.0.0" } });
  assert.match(text.headers["content-type"] ?? "", /^text\/plain; version=0\.0\.4/);
  assert.match(other.headers["content-type"] ?? "", /^application\/openmetrics-text; version=1\.0\.0/);
  assert.ok(other.text.endsWith("# EOF\n"));
  for (const families of await familiesOf({ text: text.body, openmetrics: other.body }))
    assert.ok(families > 12, String(families));
});
