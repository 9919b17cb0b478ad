import { describe, test } from "node:test";
import { judgeUpstreams, upstreamHosts } from "../../../src/doctor/upstreams.ts";
import { expectFinding } from "../../support/findings.ts";

function answer(
  stats: Readonly<Record<string, string>>,
  health: object = {},
  name = "outbound|80||api",
): unknown {
  return {
    cluster_statuses: [
      {
        name,
        host_statuses: [
          {
            address: { socket_address: { address: "10.0.0.7", port_value: 8080 } },
            stats: Object.entries(stats).map(([name, value]) => ({ name, value })),
            health_status: health,
          },
        ],
      },
      { name: "empty" },
    ],
  };
}

describe("the upstreams of a running Envoy", () => {
  test("that takes no connection is named, with how many failed", () => {
    expectFinding(
      judgeUpstreams(upstreamHosts(answer({ cx_total: "17", cx_connect_fail: "17" }))),
      "warning",
      /outbound\|80\|\|api at 10\.0\.0\.7:8080: 17 of 17 connections failed/,
      /it listens there/,
    );
  });

  test("that are the agent itself are not among them: Envoy calls it before it can answer", () => {
    for (const name of ["xds-grpc", "sds-grpc", "sds-files-grpc", "agent", "prometheus_stats"]) {
      const hosts = upstreamHosts(answer({ cx_total: "4", cx_connect_fail: "3" }, {}, name));
      expectFinding(judgeUpstreams(hosts), "ok", /0 upstreams/);
    }
  });

  test("that Envoy has put aside is named", () => {
    const hosts = upstreamHosts(answer({ cx_total: "5" }, { failed_outlier_check: true }));
    expectFinding(judgeUpstreams(hosts), "warning", /put aside \(failed_outlier_check\)/, /policy/);
  });

  test("that was away and serves now is well, whatever was counted before", () => {
    const counts = { cx_total: "4", cx_connect_fail: "3" };
    const judged = (more: Readonly<Record<string, string>>) =>
      judgeUpstreams(upstreamHosts(answer({ ...counts, ...more })));
    expectFinding(judged({ cx_active: "1", rq_total: "9" }), "ok", /reaches/);
    // Envoy is trying, and nothing was ever given to it.
    expectFinding(judged({ cx_active: "1" }), "warning", /3 of 4 connections failed/);
    expectFinding(judged({ rq_total: "9" }), "warning", /3 of 4 connections failed/);
  });

  test("that is degraded gets traffic, and is not put aside", () => {
    const hosts = upstreamHosts(answer({ cx_total: "5" }, { failed_active_degraded_check: true }));
    expectFinding(judgeUpstreams(hosts), "ok", /reaches/);
  });

  test("that failed now and then is well, and so is one that nobody has called", () => {
    expectFinding(
      judgeUpstreams(upstreamHosts(answer({ cx_total: "100", cx_connect_fail: "2" }))),
      "ok",
      /reaches/,
    );
    expectFinding(judgeUpstreams(upstreamHosts(answer({}))), "ok", /1 upstreams/);
    expectFinding(judgeUpstreams(upstreamHosts(undefined)), "ok", /0 upstreams/);
  });
});
