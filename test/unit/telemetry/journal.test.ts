import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Journal, type LogRecord } from "../../../src/telemetry/journal.ts";
import { Redactor } from "../../../src/telemetry/redactor.ts";
import { createLogger } from "../../../src/telemetry/log.ts";

function record(message: string, fields: LogRecord["fields"] = {}): LogRecord {
  return { at: "2026-01-02T03:04:05.678Z", level: "info", scope: "default", message, fields };
}

describe("journal", () => {
  test("keeps the newest lines", () => {
    const journal = new Journal((text) => text);
    for (let line = 0; line < 1_000; line += 1) journal.add(record(`line ${line}`));
    const kept = journal.records().map(({ message }) => message);
    assert.equal(kept.length, 400);
    assert.equal(kept.at(0), "line 600");
    assert.equal(kept.at(-1), "line 999");
  });

  test("is bounded by what its lines hold as well", () => {
    const journal = new Journal((text) => text);
    for (let line = 0; line < 400; line += 1)
      journal.add(record(`line ${line}`, { reason: "x".repeat(100_000) }));
    const text = JSON.stringify(journal.records());
    assert.ok(text.length < 160_000, `${text.length} characters are kept`);
    assert.equal(journal.records().at(-1)?.message, "line 399");
  });

  test("one line beyond the bound leaves nothing, and the next is kept", () => {
    const journal = new Journal((text) => text);
    journal.add(record("x".repeat(200_000)));
    assert.deepEqual(journal.records(), []);
    journal.add(record("after"));
    assert.deepEqual(
      journal.records().map(({ message }) => message),
      ["after"],
    );
  });

  test("takes a secret out before it is cut, so that no part of it is left", () => {
    const secret = "s3cr3t-of-some-length";
    const journal = new Journal((text) => new Redactor([secret]).known(text));
    journal.add(record("line", { reason: `${"x".repeat(1_014)}${secret}${"y".repeat(2_000)}` }));
    assert.doesNotMatch(JSON.stringify(journal.records()), /s3cr/);
  });

  test("leaves out fields without a value", () => {
    const journal = new Journal((text) => text);
    journal.add(record("line", { one: 1, none: undefined }));
    assert.deepEqual(journal.records()[0]?.fields, { one: 1 });
  });
});

test("a log whose level hides a line keeps it all the same, but none of debug", () => {
  const journal = new Journal((text) => text);
  const lines: string[] = [];
  const log = createLogger({
    json: false,
    levels: { default: "error" },
    write: (line) => lines.push(line),
    keep: (line) => {
      journal.add(line);
    },
    now: () => new Date("2026-01-02T03:04:05.678Z"),
  });
  log.scope("ca").info("certificate received", { serial: "1" });
  log.debug("detail");
  assert.deepEqual(lines, []);
  assert.deepEqual(journal.records(), [
    {
      at: "2026-01-02T03:04:05.678Z",
      level: "info",
      scope: "ca",
      message: "certificate received",
      fields: { serial: "1" },
    },
  ]);
});
