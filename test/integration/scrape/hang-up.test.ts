/** Scrapers that hang up before they have their answer: it is nobody's fault, and costs the next one nothing. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import { eventually } from "../../support/eventually.ts";
import { saying, startSource } from "../../support/metric-source.ts";
import { startScrapePort } from "../../support/scrape-port.ts";

const encodings = ["identity", "gzip"] as const;

function ask(port: number, encoding: string): Socket {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(`GET /metrics HTTP/1.1\r\nhost: localhost\r\naccept-encoding: ${encoding}\r\n\r\n`);
  return socket;
}

/** More than the kernel takes for a client that reads nothing. */
const long = `# TYPE long gauge\n${Array.from({ length: 120_000 }, (_, index) => `long{i="${index}",of="${"x".repeat(60)}"} ${index}\n`).join("")}`;

describe("a scraper that hangs up", () => {
  for (const encoding of encodings)
    test(`amid an answer in ${encoding} is no fault`, async () => {
      await using source = await startSource(saying(long));
      await using port = await startScrapePort({
        mergesEnvoy: false,
        targets: [{ port: source.port, path: "/metrics" }],
      });
      for (let scrape = 0; scrape < 5; scrape += 1) {
        const socket = ask(port.port, encoding);
        await once(socket, "data");
        socket.destroy();
        await eventually("the source is left alone", () => assert.equal(source.open(), 0), {
          withinMs: 20_000,
        });
      }
      assert.deepEqual(port.log, []);
    });

  for (const encoding of encodings)
    for (const how of ["closes", "resets"] as const)
      test(`and ${how}, as do seven others that wait for a source, leaves its place (${encoding})`, async () => {
        await using source = await startSource(
          (_, response) => void response.writeHead(200, { "content-type": "text/plain" }).write("a 1\n"),
        );
        await using port = await startScrapePort({
          mergesEnvoy: false,
          targets: [{ port: source.port, path: "/metrics" }],
          timeoutMs: 120_000,
        });
        const sockets = Array.from({ length: 8 }, () => ask(port.port, encoding));
        await eventually("all of them wait", () => assert.equal(source.requests.length, 8), {
          withinMs: 20_000,
        });
        for (const socket of sockets) {
          if (how === "closes") socket.destroy();
          else socket.resetAndDestroy();
        }
        await eventually("the source is left alone", () => assert.equal(source.open(), 0), {
          withinMs: 20_000,
        });
        const scraped = await port.scrape({ headers: { "x-prometheus-scrape-timeout-seconds": "1" } });
        assert.equal(scraped.status, 200);
        // Of the last one alone, which has waited for its whole time.
        assert.equal(port.log.length, 1);
        assert.match(port.log[0] ?? "", /not whole.*was not done/);
        assert.match(await port.metrics.render(), /^outrider_scrape_failures_total\{[^}]*\} 1$/m);
      });
});
