import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createLogger, type LogLevel, type LogOptions } from "../../../src/telemetry/log.ts";

function record(
  levels: Record<string, LogLevel>,
  json = false,
  more: Partial<LogOptions> = {},
): { lines: string[]; log: ReturnType<typeof createLogger> } {
  const lines: string[] = [];
  const now = (): Date => new Date("2026-01-02T03:04:05.678Z");
  return { lines, log: createLogger({ json, levels, write: (line) => lines.push(line), now, ...more }) };
}

describe("logger", () => {
  test("writes Istio's text layout", () => {
    const { lines, log } = record({ default: "info" });
    log.info("Envoy started", { pid: 7, binary: "/usr/local/bin/envoy" });
    log.scope("sds").warn("secret refused", { reason: 'not "known"', missing: undefined });
    assert.deepEqual(lines, [
      "2026-01-02T03:04:05.678000Z\tinfo\tEnvoy started\tpid=7 binary=/usr/local/bin/envoy\n",
      '2026-01-02T03:04:05.678000Z\twarn\tsds\tsecret refused\treason="not \\"known\\""\n',
    ]);
  });

  test("writes JSON with the fields beside the message", () => {
    const { lines, log } = record({ default: "info" }, true);
    log.scope("ca").error("no", { attempt: 2 });
    assert.deepEqual(JSON.parse(lines[0] ?? ""), {
      level: "error",
      time: "2026-01-02T03:04:05.678000Z",
      scope: "ca",
      msg: "no",
      attempt: 2,
    });
  });

  test("a scope has its own level and `all` overrides every scope", () => {
    const own = record({ default: "warn", xdsproxy: "debug" });
    own.log.info("hidden");
    own.log.scope("xdsproxy").debug("shown");
    assert.equal(own.lines.length, 1);
    const all = record({ default: "debug", all: "none" });
    all.log.error("hidden");
    assert.equal(all.lines.length, 0);
  });

  test("the scopes that are asked for name the line of code that wrote them", () => {
    const { lines, log } = record({ default: "info" }, false, { callers: ["sds"] });
    log.info("without");
    log.scope("sds").info("with", { count: 1 });
    assert.match(lines[0] ?? "", /\tinfo\twithout\n$/);
    assert.match(lines[1] ?? "", /\tinfo\tsds\ttelemetry\/log\.test\.ts:\d+\twith\tcount=1\n$/);
    const all = record({ default: "info" }, true, { callers: ["all"] });
    all.log.warn("with");
    assert.match(
      (JSON.parse(all.lines[0] ?? "") as { caller: string }).caller,
      /^telemetry\/log\.test\.ts:\d+$/,
    );
  });

  test("from the level on that is asked for, the stack follows a line", () => {
    const { lines, log } = record({ default: "info" }, false, {
      stackLevels: { default: "none", ca: "error" },
    });
    function callee(): void {
      log.scope("ca").error("with");
    }
    log.error("without");
    log.scope("ca").warn("without");
    callee();
    assert.deepEqual(
      lines.map((line) => line.split("\n").length > 2),
      [false, false, true],
    );
    assert.match(lines[2] ?? "", /\terror\tca\twith\nat callee \(.*log\.test\.ts:\d+:\d+\)\nat /);
    const json = record({ default: "info" }, true, { stackLevels: { default: "error" } });
    json.log.error("with");
    assert.match((JSON.parse(json.lines[0] ?? "") as { stack: string }).stack, /^at .*log\.test\.ts/);
  });
});
