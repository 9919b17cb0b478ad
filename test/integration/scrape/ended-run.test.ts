/** Scrapes whose scraper has gone: their memory is nobody else's while anything may still be read into it. */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { describe, test } from "node:test";
import { encodedBody } from "../../../src/scrape/encode.ts";
import { LineBlocks } from "../../../src/scrape/line-blocks.ts";
import type { Outcome } from "../../../src/scrape/outcome.ts";
import { ScrapeRun } from "../../../src/scrape/scrape-run.ts";
import { type MetricSource, saying, startSource } from "../../support/metric-source.ts";

interface Scene {
  readonly run: ScrapeRun;
  readonly blocks: LineBlocks;
  readonly outcomes: readonly Outcome[];
}

function runOf({ port }: MetricSource): Scene {
  const blocks = new LineBlocks();
  const outcomes: Outcome[] = [];
  const run = new ScrapeRun({
    sources: [
      {
        ...{ name: "application", type: "application", url: "/", at: { port } },
        headers: { host: "localhost", connection: "close" },
      },
    ],
    budgetMs: 60_000,
    limits: { maxBytes: 2 ** 20, maxSeries: 1_000 },
    isWanted: () => true,
    runs: undefined,
    own: () => Promise.resolve(""),
    onOutcome: (outcome) => outcomes.push(outcome),
    passed: () => setImmediate(),
    blocks,
  });
  return { run, blocks, outcomes };
}

/** What the next scrapes would read into. */
function next(blocks: LineBlocks): readonly ArrayBufferLike[] {
  return [blocks.take(), blocks.take()].map(({ landing }) => landing.buffer);
}

describe("a scrape that has ended", () => {
  test("keeps its memory until nothing is read into it any more", async () => {
    await using source = await startSource((_, response) => void response.writeHead(200).write("a 1\nb"));
    const { run, blocks, outcomes } = runOf(source);
    const body = run.body("text");
    const { value } = await body.next();
    const memory = value?.[0]?.buffer;
    assert.ok(memory);
    run[Symbol.dispose]();
    await setImmediate();
    assert.ok(!next(blocks).includes(memory), "while its reader is at work");
    await assert.rejects(body.next(), /nobody waits/);
    assert.ok(next(blocks).includes(memory), "once its reader has ended");
    assert.deepEqual(outcomes, []);
  });

  test("gives the memory of those that have not answered back, and says nothing of them", async () => {
    await using source = await startSource(() => undefined);
    const { run, blocks, outcomes } = runOf(source);
    const body = run.body("text").next();
    await setImmediate();
    run[Symbol.dispose]();
    await assert.rejects(body, /nobody waits/);
    await setImmediate();
    const block = blocks.take();
    blocks.giveBack(block);
    assert.deepEqual(outcomes, []);
  });

  test("has its source's outcome where it was done before", async () => {
    await using source = await startSource(saying("a 1\n"));
    const { run, outcomes } = runOf(source);
    for await (const pieces of run.body("text")) assert.ok(pieces.length > 0);
    run[Symbol.dispose]();
    assert.equal(outcomes.length, 1);
  });
});

test("memory that was given back is neither written to nor given back again", () => {
  const blocks = new LineBlocks();
  const block = blocks.take();
  blocks.giveBack(block);
  assert.equal(blocks.take().landing.buffer, block.landing.buffer);
  for (const use of [
    () => block.add(block.landing.subarray(0, 1)),
    () => {
      block.release();
    },
    () => {
      blocks.giveBack(block);
    },
  ])
    assert.throws(use, /another's/);
});

for (const encoding of ["gzip", "zstd"] as const)
  test(`a body in ${encoding} fails once nobody takes it, though nothing leaves yet`, async () => {
    const gone = new AbortController();
    const to = (): Promise<void> => {
      assert.ok(!gone.signal.aborted);
      return Promise.resolve();
    };
    using body = encodedBody(to, encoding, gone.signal);
    await body.write([Buffer.from("a 1\n")]);
    gone.abort();
    await assert.rejects(body.write([Buffer.from("b 1\n")]), /nobody takes/);
  });
