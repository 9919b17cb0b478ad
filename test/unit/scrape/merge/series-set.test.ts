/** Which series have been written. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { SeriesSet } from "../../../../src/scrape/merge/series-set.ts";

describe("the set of series", () => {
  test("knows those that it has, and no others, wherever they lie in their line", () => {
    const bytes = fc.uint8Array({ maxLength: 12, max: 3 });
    fc.assert(
      fc.property(fc.array(fc.tuple(bytes, fc.nat(5)), { maxLength: 200 }), (all) => {
        const set = new SeriesSet();
        const seen = new Set<string>();
        for (const [series, from] of all) {
          const line = Buffer.concat([Buffer.alloc(from, 255), series, Buffer.from(" 1\n")]);
          assert.equal(set.add(line, from, from + series.length), !seen.has(series.join()));
          seen.add(series.join());
        }
      }),
    );
  });

  test("tells a hundred thousand apart that differ in one place", () => {
    const set = new SeriesSet();
    for (const place of [0, 1, 2, 3, 5, 50]) {
      const line = Buffer.alloc(64, "a");
      for (let one = 0; one < 65_536 / 4; one += 1) {
        // Even, so that no place writes what is there and what another place has written.
        line.writeUInt16LE(one * 4 + 2, place);
        assert.ok(set.add(line, 0, line.length), `${place}: ${one}`);
      }
    }
  });
});
