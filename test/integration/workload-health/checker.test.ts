import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TaskGroup } from "../../../src/lifecycle/task-group.ts";
import { HttpServer } from "../../../src/net/http-server.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { HealthChecker, type ProxyReadiness } from "../../../src/workload-health/checker.ts";
import { eventually } from "../../support/eventually.ts";
import { testLog } from "../../support/test-log.ts";

/** A workload whose answer a test sets, and its checks. */
async function checkedWorkload(
  changes: {
    readonly proxy?: () => Promise<ProxyReadiness>;
    readonly failure?: number;
    readonly periodMs?: number;
  } = {},
) {
  const stack = new AsyncDisposableStack();
  const workload = { status: 200, asked: 0 };
  const server = stack.use(
    await HttpServer.listen({ host: "127.0.0.1", port: 0 }, (_, response) => {
      workload.asked += 1;
      response.writeHead(workload.status).end();
    }),
  );
  const { log, lines } = testLog();
  const metrics = new Metrics("outrider_");
  const checker = new HealthChecker(
    {
      method: {
        ...{ kind: "http", scheme: "http", host: "127.0.0.1", port: server.port, path: "/", headers: [] },
        sourceAddress: undefined,
      },
      initialDelayMs: 0,
      timeoutMs: 10_000,
      periodMs: changes.periodMs ?? 10,
      thresholds: { success: 1, failure: changes.failure ?? 1 },
    },
    { proxy: changes.proxy, log, metrics },
  );
  const tasks = stack.use(new TaskGroup());
  const told: string[] = [];
  tasks.spawn("checks", (signal) => checker.run(signal));
  tasks.spawn("told", async (signal) => {
    for await (const health of checker.health.changes(signal)) told.push(health.kind);
  });
  const becomes = (kind: string): Promise<void> =>
    eventually(kind, () => assert.equal(checker.health.current.kind, kind), { withinMs: 10_000, everyMs: 5 });
  return {
    ...{ workload, checker, lines, told, becomes, metrics },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe("HealthChecker", () => {
  test("tells each change once, in log, metrics and words", async () => {
    await using checked = await checkedWorkload();
    const { workload, told, becomes, checker, metrics, lines } = checked;
    await becomes("healthy");
    assert.match(await metrics.render(), /outrider_workload_healthy 1\n/);
    await eventually("some checks", () => assert.ok(workload.asked > 5), { withinMs: 10_000 });
    workload.status = 503;
    await becomes("unhealthy");
    assert.equal(checker.lastFailure, "it answered 503");
    await eventually("some checks", () => assert.ok(workload.asked > 10), { withinMs: 10_000 });
    workload.status = 204;
    await becomes("healthy");
    assert.equal(checker.lastFailure, undefined);
    assert.deepEqual(told, ["unknown", "healthy", "unhealthy", "healthy"]);
    const events = lines.map((line) => line.split("\t").slice(0, 2).join(" "));
    assert.deepEqual(events, [
      "info checking the workload's health",
      "info the workload is healthy",
      "warn the workload is unhealthy",
      "info the workload is healthy",
    ]);
    assert.match(lines[2] ?? "", /GET http:\/\/127\.0\.0\.1:\d+\/.*it answered 503/);
    const text = await metrics.render();
    assert.match(text, /outrider_workload_healthy 1\n/);
    assert.match(text, /outrider_workload_health_checks_total\{result="unhealthy"\} [1-9]/);
  });

  test("lets a failure pass that is over before it counts", async () => {
    await using checked = await checkedWorkload({ failure: 1_000_000 });
    const { workload, becomes, checker, told } = checked;
    await becomes("healthy");
    workload.status = 500;
    await eventually("a failed check", () => assert.equal(checker.lastFailure, "it answered 500"), {
      withinMs: 10_000,
    });
    assert.deepEqual(told, ["unknown", "healthy"]);
  });

  test("does not ask a workload whose Envoy does not serve", async () => {
    let readiness: ProxyReadiness | Error = { ready: false, reason: "Envoy is draining" };
    await using checked = await checkedWorkload({
      proxy: () => (readiness instanceof Error ? Promise.reject(readiness) : Promise.resolve(readiness)),
    });
    const { workload, becomes, checker } = checked;
    await becomes("unhealthy");
    assert.equal(workload.asked, 0);
    assert.equal(checker.lastFailure, "Envoy is not ready: Envoy is draining");
    readiness = { ready: true };
    await becomes("healthy");
    readiness = new Error("admin is gone");
    await becomes("unhealthy");
    assert.equal(checker.lastFailure, "Envoy is not ready: admin is gone");
  });
});

test("a check does not wait for its period when it is asked for", async () => {
  let readiness: ProxyReadiness = { ready: true };
  await using checked = await checkedWorkload({
    proxy: () => Promise.resolve(readiness),
    periodMs: 3_600_000,
  });
  await checked.becomes("healthy");
  readiness = { ready: false, reason: "Envoy is draining" };
  checked.checker.recheck();
  await checked.becomes("unhealthy");
  assert.equal(checked.workload.asked, 1);
});
