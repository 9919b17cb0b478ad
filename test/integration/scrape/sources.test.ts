/** Sources of merged metrics on real sockets: whatever one of them does, the others are whole. */
import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openSource } from "../../../src/scrape/source/open-source.ts";
import type { ScrapeOptions } from "../../../src/scrape/options.ts";
import { briefScrape, scrapeRoute } from "../../../src/scrape/scrape-route.ts";
import { AgentClient } from "../../../src/status/client.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { endless, type MetricSource, saying, startSource } from "../../support/metric-source.ts";
import {
  type ScrapeAsked,
  type ScrapePort,
  type Scraped,
  startScrapePort,
} from "../../support/scrape-port.ts";
import { switching } from "../../support/switching-server.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const envoyText = '# TYPE envoy_up gauge\nenvoy_up{cluster="a"} 1\n';
const goodText = "# TYPE good gauge\ngood 1\n";

/** Envoy's place, one application that behaves, and one that does not. */
async function withBadSource(
  bad: (request: IncomingMessage, response: ServerResponse) => void,
  run: (scene: { port: ScrapePort; bad: MetricSource; scraped: Scraped }) => Promise<void> | void,
  changes: Partial<ScrapeOptions> = {},
  asked: ScrapeAsked = {},
): Promise<void> {
  using folder = temporaryFolder();
  const envoySocket = join(folder.path, "admin.sock");
  await using _envoy = await startSource(saying(envoyText), envoySocket);
  await using good = await startSource(saying(goodText));
  await using source = await startSource(bad);
  const targets = [
    { port: source.port, path: "/bad" },
    { port: good.port, path: "/metrics" },
  ];
  await using port = await startScrapePort({ envoySocket, targets, ...changes });
  const scraped = await port.scrape(asked);
  assert.equal(scraped.status, 200);
  assert.match(scraped.text, /^envoy_up\{cluster="a"\} 1$/m);
  assert.match(scraped.text, /^good 1$/m);
  assert.match(scraped.text, /^istio_agent_scrapes_total 1$/m);
  assert.ok(scraped.text.endsWith("\n"));
  assert.deepEqual(scraped.up, {
    envoy: 1,
    [`application:${good.port}/metrics`]: 1,
    [`application:${source.port}/bad`]: 0,
  });
  await run({ port, bad: source, scraped });
  await eventually("the source is left alone", () => assert.equal(source.open(), 0), { withinMs: 5_000 });
}

async function failuresOf({ port }: { port: ScrapePort }): Promise<string> {
  const text = await port.metrics.render();
  return [...text.matchAll(/^outrider_scrape_failures_total\{source="[^"]*",reason="(\w+)"\} 1$/gm)]
    .map(([, reason]) => reason)
    .join();
}

const half = "# TYPE half gauge\nhalf 1\nhalf_not 2";

describe("a source of merged metrics that", () => {
  const cases: readonly {
    readonly does: string;
    readonly answer: (request: IncomingMessage, response: ServerResponse) => void;
    readonly reason: string;
    readonly changes?: Partial<ScrapeOptions>;
    readonly passes?: RegExp;
  }[] = [
    { does: "never answers", answer: () => undefined, reason: "timeout", changes: { timeoutMs: 3_000 } },
    {
      does: "hangs in its body",
      answer: (_, response) => void response.writeHead(200).write(half),
      reason: "timeout",
      changes: { timeoutMs: 3_000 },
      passes: /^half 1\n(?!half_not)/m,
    },
    {
      does: "dies in its body",
      answer: (_, response) => {
        response.writeHead(200).write(half, () => response.destroy());
      },
      reason: "torn",
      passes: /^half 1\n(?!half_not)/m,
    },
    {
      does: "ends in the middle of a line",
      answer: ({ socket }) => {
        socket.end(`HTTP/1.1 200 OK\r\n\r\n${half}`);
      },
      reason: "torn",
      passes: /^half 1\n(?!half_not)/m,
    },
    {
      does: "says less of OpenMetrics than there should be",
      answer: saying("half 1\n", "application/openmetrics-text; version=1.0.0"),
      reason: "torn",
      passes: /^half 1$/m,
    },
    {
      does: "has no end",
      answer: endless(Buffer.from('huge{x="1"} 1\n'.repeat(4_000))),
      reason: "too_large",
      changes: { maxBytes: 1_000_000 },
    },
    { does: "writes binary", answer: endless(Buffer.alloc(60_000, "\x00\xff\n")), reason: "invalid" },
    { does: "writes a page", answer: saying("<html>\n<p>no metrics\n", "text/html"), reason: "invalid" },
    {
      does: "has a line without an end",
      answer: endless(Buffer.alloc(60_000, "a")),
      reason: "too_large",
      changes: { maxBytes: 1_000_000 },
    },
    {
      does: "answers in protobuf",
      answer: saying("\x01", "application/vnd.google.protobuf"),
      reason: "format",
    },
    {
      does: "compresses what nobody wanted compressed",
      answer: (_, response) => void response.writeHead(200, { "content-encoding": "br" }).end("x"),
      reason: "format",
    },
    {
      does: "fails",
      answer: (_, response) => void response.writeHead(500).end("half 1\n"),
      reason: "status",
    },
    {
      does: "redirects for ever",
      answer: (_, response) => void response.writeHead(302, { location: "/bad" }).end(),
      reason: "redirect",
    },
    {
      does: "redirects to another server",
      answer: (_, response) => void response.writeHead(302, { location: "http://127.0.0.2:80/" }).end(),
      reason: "redirect",
    },
    {
      does: "speaks no HTTP",
      answer: ({ socket }) => void socket.end("220 smtp\r\n"),
      reason: "unavailable",
    },
  ];
  for (const { does, answer, reason, changes, passes } of cases) {
    test(`${does} costs its own samples alone`, async () => {
      await withBadSource(
        answer,
        async ({ port, scraped }) => {
          assert.equal(await failuresOf({ port }), reason);
          assert.match(await port.metrics.render(), /scrape_failures_total\{type="application"\} 1/);
          if (passes !== undefined) assert.match(scraped.text, passes);
          assert.equal(
            port.log.filter((line) => line.includes("a source of metrics is not whole")).length,
            1,
          );
        },
        changes,
      );
    });
  }

  test("is not there costs its own samples alone, and is told once", async () => {
    const [nobody = 0] = await freePorts(1);
    await using port = await startScrapePort({ targets: [{ port: nobody, path: "/metrics" }] });
    for (let scrape = 0; scrape < 3; scrape += 1) {
      const { up } = await port.scrape();
      assert.deepEqual(up, { [`application:${nobody}/metrics`]: 0 });
    }
    assert.equal(port.log.length, 1);
  });

  test("redirects within itself is followed", async () => {
    await using source = await startSource((request, response) => {
      if (request.url === "/real?x=1") saying(goodText)(request, response);
      else response.writeHead(307, { location: "/real?x=1" }).end();
    });
    await using port = await startScrapePort({ targets: [{ port: source.port, path: "/metrics" }] });
    const { text } = await port.scrape();
    assert.match(text, /^good 1$/m);
  });

  test("is asked by a busy agent is there all the same", async () => {
    await using source = await startSource(saying("half 1\n"));
    const at = { port: source.port };
    const asked = openSource(
      { name: "busy", type: "application", at, url: "/metrics", headers: { host: "localhost" } },
      Buffer.alloc(65_536),
      new AbortController().signal,
    );
    // Longer than Node.js gives one address, after the connection was begun and before anything is heard of it.
    for (let tick = 0; tick < 8; tick += 1)
      await new Promise<void>((resolve) => {
        process.nextTick(resolve);
      });
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
    const { body } = await asked;
    body[Symbol.dispose]();
  });

  test("answers after others have is still the first to say what a family is", async () => {
    const later = Promise.withResolvers<void>();
    await using first = await startSource((request, response) => {
      void later.promise.then(() => {
        saying('# TYPE both gauge\nboth{of="first"} 1\n')(request, response);
      });
    });
    await using second = await startSource((request, response) => {
      response.once("finish", () => setTimeout(later.resolve, 100));
      saying('# TYPE both histogram\nboth_sum{of="second"} 1\n')(request, response);
    });
    const targets = [first, second].map((source) => ({ port: source.port, path: "/metrics" }));
    await using port = await startScrapePort({ targets, timeoutMs: 100_000 });
    const { text, up } = await port.scrape();
    assert.deepEqual(Object.values(up), [1, 1]);
    assert.match(text, /^both\{of="first"\} 1$/m);
    assert.doesNotMatch(text, /of="second"/);
    assert.match(await port.metrics.render(), /reason="type_conflict"\} 1$/m);
  });

  test("never answers costs a person's command its own samples alone", async () => {
    await using hanging = await startSource(() => undefined);
    await using good = await startSource(saying(goodText));
    const targets = [hanging, good].map((source) => ({ port: source.port, path: "/metrics" }));
    await using port = await startScrapePort({ targets, timeoutMs: 100_000 });
    const { status, text } = await AgentClient.onPort(port.port).answer(scrapeRoute, briefScrape);
    assert.equal(status, 200);
    assert.match(text, /^good 1$/m);
    assert.match(text, /^outrider_scrape_up\{source="application:\d+\/metrics"\} 0$/m);
  });

  test("listens on IPv6 alone is found", async () => {
    await using source = await startSource(saying(goodText), "::1");
    await using port = await startScrapePort({ targets: [{ port: source.port, path: "/metrics" }] });
    const { text } = await port.scrape();
    assert.match(text, /^good 1$/m);
  });

  test("keeps its scrapers waiting leaves no place taken when they reset", async () => {
    const wanted = Promise.withResolvers<void>();
    let left: (() => void)[] = [];
    await using source = await startSource((request, response) => {
      left.push(() => {
        saying(goodText)(request, response);
      });
      if (left.length === 8) wanted.resolve();
    });
    await using port = await startScrapePort({ targets: [{ port: source.port, path: "/metrics" }] });
    const head =
      "GET /stats/prometheus HTTP/1.1\r\nhost: localhost\r\naccept: application/openmetrics-text; version=1.0.0\r\n\r\n";
    const sockets = Array.from({ length: 8 }, () => {
      const socket = connect(port.port, "127.0.0.1");
      socket.write(head);
      return socket;
    });
    await wanted.promise;
    for (const socket of sockets) socket.resetAndDestroy();
    assert.equal((await port.scrape({ path: "/healthz/ready" })).status, 200);
    for (const answer of left) answer();
    left = [];
    await eventually("the places are free", () => assert.equal(source.open(), 0), { withinMs: 5_000 });
    const scraped = port.scrape();
    await eventually("the source is asked", () => assert.equal(left.length, 1), { withinMs: 5_000 });
    for (const answer of left) answer();
    assert.equal((await scraped).status, 200);
  });

  test("switches protocols is no source, and the scrape ends", async () => {
    await using server = await switching();
    await using port = await startScrapePort({ targets: [{ port: server.port, path: "/metrics" }] });
    const { up } = await port.scrape();
    assert.deepEqual(up, { [`application:${server.port}/metrics`]: 0 });
    assert.match(port.log.join("\n"), /it answered 101/);
  });
});
