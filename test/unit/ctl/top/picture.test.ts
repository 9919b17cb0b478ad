import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import type { SidecarRow } from "../../../../src/ctl/top/history.ts";
import { afterKeys } from "../../../../src/ctl/top/keys.ts";
import { drawTop, firstChoice, mostScrolled } from "../../../../src/ctl/top/picture.ts";
import type { Traffic } from "../../../../src/ctl/top/rates.ts";
import { goldenText } from "../../../support/golden.ts";

const quiet: Traffic = { requestsPerSecond: 0, errorShare: undefined, p50Ms: undefined, p99Ms: undefined };

function busy(requestsPerSecond: number, errorShare: number): Traffic {
  return { requestsPerSecond, errorShare, p50Ms: 2.34, p99Ms: 1_250 };
}

const rows: readonly SidecarRow[] = [
  {
    name: "web-1.demo",
    state: "measured",
    keepsLatencies: true,
    inbound: quiet,
    outbound: busy(123_456, 0.0004),
  },
  { name: "api-1.demo", state: "measured", keepsLatencies: false, inbound: busy(19.96, 1), outbound: quiet },
  { name: "db-1.demo", state: "no answer", problem: "no answer of 127.0.0.1:15000: none in 2 s" },
  { name: `${"long-".repeat(20)}1.demo`, state: "measuring", keepsLatencies: true },
];

function names(choice: Partial<typeof firstChoice>): readonly string[] {
  const place = { columns: 80, rows: undefined, colour: false };
  return drawTop(rows, { ...firstChoice, ...choice }, place)
    .slice(1)
    .map((line) => line.slice(0, 3));
}

describe("the table", () => {
  for (const [columns, height] of [
    [80, 23],
    [200, 49],
  ] as const) {
    test(`of ${columns} columns`, (t) => {
      const place = { columns, rows: height, colour: false };
      goldenText(t, `ctl/top-${columns}.txt`, `${drawTop(rows, firstChoice, place).join("\n")}\n`);
    });
  }

  test("is never wider or higher than the terminal, and coloured the same", () => {
    for (let columns = 1; columns < 90; columns += 1) {
      for (const height of [1, 2, 5, 23]) {
        const plain = drawTop(rows, firstChoice, { columns, rows: height, colour: false });
        assert.ok(plain.length <= height && plain.every((line) => line.length <= columns));
        const coloured = drawTop(rows, firstChoice, { columns, rows: height, colour: true });
        assert.deepEqual(coloured.map(stripVTControlCharacters), plain);
        // A colour of the background would not suit every terminal.
        assert.doesNotMatch(coloured.join(""), /\p{Cc}\[(?:4\d|10\d|7)m/u);
      }
    }
  });

  test("shows no sign of a name that moves the cursor", () => {
    const evil = { name: "a\u001B[2Jb", state: "no answer", problem: "\u001B]0;x\u0007" } as const;
    assert.doesNotMatch(
      drawTop([evil], firstChoice, { columns: 80, rows: 9, colour: false }).join(""),
      /\p{Cc}/u,
    );
  });

  test("is sorted by the column that was chosen; who has nothing of it comes last", () => {
    assert.deepEqual(names({ column: 1 }), ["api", "web", "db-", "lon"]);
    assert.deepEqual(names({ column: 5 }), ["web", "api", "db-", "lon"]);
    assert.deepEqual(names({ column: 5, isReversed: true }), ["api", "web", "db-", "lon"]);
    assert.deepEqual(names({ column: 0 }), ["api", "db-", "lon", "web"]);
  });

  test("is scrolled as far as there are rows", () => {
    const place = { columns: 200, rows: 7, colour: false };
    assert.equal(mostScrolled(rows, place), 2);
    const drawn = drawTop(rows, { ...firstChoice, scrolled: 99 }, place);
    assert.deepEqual(
      drawn.slice(2, 4).map((line) => line.slice(0, 3)),
      ["db-", "lon"],
    );
  });
});

test("keys choose the column, reverse, scroll and end, also where several come at once", () => {
  const after = (keys: string): ReturnType<typeof afterKeys> => afterKeys(firstChoice, keys);
  assert.equal(after("\u001B[C\u001B[C\u001B[D")?.column, 2);
  assert.equal(after("\u001B[D\u001B[D")?.column, 8);
  assert.equal(after("rrr")?.isReversed, true);
  assert.equal(after("\u001B[A")?.scrolled, 0);
  assert.equal(after("\u001B[6~k")?.scrolled, 9);
  assert.deepEqual(after("x"), firstChoice);
  assert.equal(after("jqj"), undefined);
});
