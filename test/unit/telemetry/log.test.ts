import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createLogger, type LogLevel } from "../../../src/telemetry/log.ts";

function record(
  levels: Record<string, LogLevel>,
  json = false,
): { lines: string[]; log: ReturnType<typeof createLogger> } {
  const lines: string[] = [];
  const now = (): Date => new Date("2026-01-02T03:04:05.678Z");
  return { lines, log: createLogger({ json, levels, write: (line) => lines.push(line), now }) };
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
});
