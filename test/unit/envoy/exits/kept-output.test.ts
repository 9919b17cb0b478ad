import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { KeptOutput } from "../../../../src/envoy/exits/kept-output.ts";

const own = (level: string, message: string, logger = "main"): string =>
  `[2026-01-01 00:00:00.000][12][${level}][${logger}] [source/server/server.cc:449] ${message}`;
const bare = (count: number): string[] => Array.from({ length: count }, (_, n) => `  "line": ${n},`);

function keep(lines: readonly string[], now = () => 0): readonly string[] {
  const output = new KeptOutput(now);
  for (const line of lines) output.add(line);
  return output.lines;
}

describe("KeptOutput", () => {
  test("keeps all of a short output", () => {
    const lines = [own("critical", "error"), ...bare(199)];
    assert.deepEqual(keep(lines), lines);
  });

  test("keeps the last 200 lines of a long one", () => {
    const lines = [own("info", "starting"), ...bare(300), own("critical", "backtrace", "backtrace")];
    assert.deepEqual(keep(lines), lines.slice(-200));
  });

  for (const [layout, line] of [
    ["Envoy's own", own("critical", "error `no` initializing config")],
    ["Istio's", "2026-01-01T00:00:00.000000Z\tcritical\tenvoy main source/server/server.cc:449\terror `no`"],
    ["JSON", JSON.stringify({ level: "critical", scope: "envoy main", msg: "error `no`" })],
    ["an error in Envoy's own", own("error", "it cannot be")],
  ] as const) {
    test(`keeps a complaint before them, in its place: ${layout} layout`, () => {
      const lines = ["begin", line, ...bare(1_000)];
      assert.deepEqual(keep(lines), [line, "[801 lines left out]", ...lines.slice(-200)]);
    });
  }

  test("keeps a bounded number of complaints, the latest", () => {
    const complaints = Array.from({ length: 5_000 }, (_, n) => own("error", `number ${n}`));
    assert.deepEqual(keep(complaints), [
      ...complaints.slice(-208, -200),
      "[4792 lines left out]",
      ...complaints.slice(-200),
    ]);
  });

  test("takes no printed configuration and no backtrace for a complaint", () => {
    const lines = [
      own("critical", "#0: [0x1]", "backtrace"),
      '  "error": "critical",',
      '{"level": "error"}',
      ...bare(300),
    ];
    assert.deepEqual(keep(lines), lines.slice(-200));
  });

  test("lets a complaint of long ago go, which explains no end of now", () => {
    let now = 0;
    const output = new KeptOutput(() => now);
    output.add(own("error", "long ago"));
    for (const line of bare(200)) output.add(line);
    assert.deepEqual(output.lines, [own("error", "long ago"), ...bare(200)]);
    now = 60_000;
    assert.deepEqual(output.lines, bare(200));
  });
});
