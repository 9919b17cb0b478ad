/** A thousand clients that take their time: whoever does not is answered, and what they cost is bounded. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { startPart } from "../../bench/part.ts";
import { eventually } from "../../support/eventually.ts";
import { get } from "../../support/mesh.ts";
import { watchPeak } from "../../support/peak-memory.ts";
import { scrapeAt } from "../../support/scrape-port.ts";
import { SlowClients } from "../../support/slow-clients.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const support = join(import.meta.dirname, "../../support");
const clients = 1_000;
const series = 20_000;

/** What they may cost together: eight scrapes that nobody reads, and a head of a request each. */
const mostMiB = 96;

describe("a thousand slow clients of the status port", () => {
  test("keep no probe and no scrape out, and cost a bounded amount of memory", async () => {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder()).path;
    const socketPath = join(folder, "envoy.sock");
    stack.use(await startPart(join(support, "metric-source-main.ts"), [String(series), socketPath]));
    const part = stack.use(await startPart(join(support, "scrape-port-main.ts"), ["envoy", socketPath]));
    const port = Number(/^port (\d+)$/.exec(part.lines[0] ?? "")?.[1]);
    const whole = async (): Promise<void> => {
      const { status, up } = await scrapeAt(port);
      assert.equal(status, 200);
      assert.deepEqual(up, { envoy: 1 });
    };
    await whole();
    const memory = watchPeak(part.pid);
    const before = memory.peakMiB();
    const slow = stack.use(new SlowClients(port, clients));
    await eventually("all of them have come", () => assert.ok(slow.connected >= clients), {
      withinMs: 20_000,
    });
    for (let probe = 0; probe < 50; probe += 1)
      assert.equal((await get(port, "/healthz/ready")).status, 200, `probe ${probe}`);
    await eventually("a scrape that is read", whole, { withinMs: 20_000 });
    assert.equal((await get(port, "/healthz/ready")).status, 200);
    const grown = memory.peakMiB() - before;
    assert.ok(grown < mostMiB, `${grown} MiB`);
  });
});
