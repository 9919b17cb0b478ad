import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { servedRoutes, statusRoutes } from "../../../src/agent/status-routes.ts";
import { routeFor } from "../../../src/status/rules.ts";

describe("the table of the status port", () => {
  test("has each path once, and no row that an earlier one hides", () => {
    const hidden = statusRoutes.filter(
      ({ path }, index) => routeFor(statusRoutes.slice(0, index), path) !== undefined,
    );
    assert.deepEqual(hidden, []);
  });

  test("lets everybody read readiness, liveness, metrics and the application's probes, and nothing else", () => {
    const open = statusRoutes.filter(({ scope }) => scope !== "loopback");
    assert.deepEqual(
      open.map(({ method, path, scope }) => `${method} ${path} ${scope}`),
      [
        "GET /healthz/ready everybody",
        "GET /healthz/live everybody",
        "GET /app-health/ everybody",
        "GET /app-lifecycle/ everybody",
        "GET /stats/prometheus scrapers",
        "GET /metrics scrapers",
      ],
    );
  });

  test("takes any Host for the application's probes alone", () => {
    assert.deepEqual(
      statusRoutes.filter(({ takesAnyHost }) => takesAnyHost === true).map(({ path }) => path),
      ["/app-health/", "/app-lifecycle/"],
    );
  });

  test("has no profiles where they are switched off", () => {
    const pathsOf = (profiling: boolean): readonly string[] =>
      servedRoutes({ profiling }).map(({ path }) => path);
    const without = pathsOf(false);
    assert.deepEqual(
      pathsOf(true).filter((path) => !without.includes(path)),
      ["/debug/pprof/", "/debug/cpuprofile", "/debug/heapsnapshot"],
    );
  });
});
