import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { EnvoyAdmin } from "../../../../src/envoy/admin/admin.ts";
import { drain, type DrainEvents } from "../../../../src/envoy/drain/drain.ts";
import { type DrainPlan, planDrain } from "../../../../src/envoy/drain/drain-plan.ts";
import { sleep } from "../../../../src/lifecycle/sleep.ts";
import { type Answer, startAdminStandIn } from "../../../support/admin-stand-in.ts";
import { testLog } from "../../../support/test-log.ts";

const scope = { drainInboundOnly: true, ownPorts: [15021] };
const fixed = planDrain(
  {
    preDrainDelayMs: 0,
    exitOnZeroActiveConnections: false,
    minimumDrainDurationMs: 5_000,
    maximumDrainDurationMs: undefined,
    terminationDrainDurationMs: 1_500,
  },
  { wasReady: true, applicationEnded: false },
);
const atZero: DrainPlan = {
  ...fixed,
  endsAtZero: true,
  countsOutbound: false,
  minimumMs: 500,
  maximumMs: undefined,
};

const listeners = JSON.stringify({
  configs: [
    {
      active_state: {
        listener: {
          address: { socket_address: { address: "0.0.0.0", port_value: 15001 } },
          traffic_direction: "OUTBOUND",
        },
      },
    },
  ],
});

function stats(inbound: number): string {
  return [
    `listener.0.0.0.0_15006.downstream_cx_active: ${inbound}`,
    "listener.0.0.0.0_15001.downstream_cx_active: 4",
    "listener.0.0.0.0_15021.downstream_cx_active: 1",
    "listener.admin.downstream_cx_active: 1",
  ].join("\n");
}

/** Nothing happens. */
const quiet = new AbortController().signal;

/** Aborts after so many milliseconds. */
function after(ms: number): AbortSignal {
  const controller = new AbortController();
  void sleep(ms).then(() => {
    controller.abort();
  });
  return controller.signal;
}

interface Drained {
  readonly tookMs: number;
  readonly lines: readonly string[];
  readonly requests: readonly string[];
  readonly abandoned: number;
}

async function drained(
  plan: DrainPlan | (() => DrainPlan),
  answer: (path: string, earlier: number) => Answer,
  events: Partial<DrainEvents> = {},
): Promise<Drained> {
  await using admin = await startAdminStandIn(answer);
  const { log, lines } = testLog();
  const startedAt = performance.now();
  await drain(
    new EnvoyAdmin(admin.socketPath),
    typeof plan === "function" ? plan : () => plan,
    scope,
    { cut: quiet, gone: quiet, replan: undefined, ...events },
    log,
  );
  const { requests, abandoned } = admin;
  return { tookMs: performance.now() - startedAt, lines, requests, abandoned };
}

/** What comes later than it must is no fault of the drain: why it ended is in its last line. */
function assertAtLeast(value: number, least: number): void {
  assert.ok(value >= least, `${Math.round(value)} is less than ${least}`);
}

describe("drain()", () => {
  test("is neither blocked nor shortened by an admin that never answers", async () => {
    const { tookMs, lines, abandoned } = await drained({ ...fixed, maximumMs: 300 }, () => undefined);
    assertAtLeast(tookMs, 300);
    // It was over while the first question had still time to be answered.
    assert.equal(abandoned, 0);
    assert.match(lines.at(-1) ?? "", /drained\tbecause="its time is over" .*connections=unknown/);
  });

  test("asks again where the request to drain was refused, and says so once", async () => {
    const { requests, lines } = await drained({ ...fixed, maximumMs: 5_000 }, (path, earlier) => {
      if (path === "/drain_listeners") return earlier === 0 ? { status: 500 } : "OK";
      return stats(2);
    });
    assert.deepEqual(
      requests.filter((request) => request.includes("drain_listeners")),
      ["POST /drain_listeners?graceful&inboundonly", "POST /drain_listeners?graceful&inboundonly"],
    );
    assert.equal(lines.filter((line) => line.includes("was not asked to drain")).length, 1);
    // All listeners are told of: only a drain that ends at zero has to know which of them are inbound.
    assert.match(lines.at(-1) ?? "", /connections=6 listeners="0\.0\.0\.0_15001: 4, 0\.0\.0\.0_15006: 2"/);
  });

  test("ends once no inbound connection is left; the application's own and the kubelet's do not count", async () => {
    const { tookMs, lines } = await drained(atZero, (path, earlier) => {
      if (path === "/config_dump") return listeners;
      return path === "/stats" ? stats(earlier < 2 ? 3 : 0) : "OK";
    });
    // Polled at once, when the minimum is over, and a second later.
    assertAtLeast(tookMs, 1_400);
    assert.ok(lines.some((line) => /still open\tconnections=3 listeners="0\.0\.0\.0_15006: 3"/.test(line)));
    assert.match(lines.at(-1) ?? "", /because="no connection is left" .*connections=0$/);
  });

  test("does not take errors for the end of the connections", async () => {
    const { tookMs } = await drained({ ...atZero, maximumMs: 3_500 }, (path, earlier) => {
      if (path === "/config_dump") return { status: 503 };
      return path === "/stats" && earlier > 0 ? { status: 503 } : stats(1);
    });
    assertAtLeast(tookMs, 3_500);
  });

  test("has the usual time where Envoy does not keep the statistics, and says what to change", async () => {
    const plan = { ...atZero, maximumWithoutCountsMs: 1_200 };
    const { tookMs, lines } = await drained(plan, (path) => (path === "/config_dump" ? "{}" : ""));
    assertAtLeast(tookMs, 1_200);
    assert.ok(lines.some((line) => /unknown\treason=.*stats_matcher/.test(line)));
  });

  for (const [what, events, because] of [
    ["is cut", () => ({ cut: after(300) }), "it was cut short"],
    ["ends with its Envoy", () => ({ gone: after(300) }), "Envoy has ended"],
  ] as const) {
    test(`${what} at once while a request hangs`, async () => {
      const hour = 3_600_000;
      const { lines } = await drained(
        { ...fixed, maximumMs: hour, minimumMs: hour },
        () => undefined,
        events(),
      );
      assert.ok(lines.at(-1)?.includes(`because="${because}"`), lines.at(-1));
    });

    test(`${what} at once while Envoy serves on`, async () => {
      const { requests } = await drained({ ...fixed, preDrainDelayMs: 3_600_000 }, () => "OK", events());
      assert.deepEqual(requests, []);
    });
  }

  test("goes by another plan from the moment that there is one: the delay is over, and there is a limit", async () => {
    const replan = after(300);
    const { tookMs, lines } = await drained(
      () => (replan.aborted ? { ...atZero, maximumMs: 600 } : { ...atZero, preDrainDelayMs: 20_000 }),
      (path) => (path === "/config_dump" ? listeners : path === "/stats" ? stats(1) : "OK"),
      { replan },
    );
    assertAtLeast(tookMs, 600);
    assert.match(lines.at(-1) ?? "", /because="its time is over" .*connections=1/);
  });

  test("asks nothing of Envoy before the delay is over", async () => {
    const limits = { minimumMs: 0, maximumMs: 300, maximumWithoutCountsMs: 300 };
    const plan = { ...fixed, preDrainDelayMs: 800, ...limits };
    let askedAtMs = 0;
    const startedAt = performance.now();
    const { tookMs } = await drained(plan, () => {
      askedAtMs ||= performance.now() - startedAt;
      return "OK";
    });
    assertAtLeast(askedAtMs, 790);
    assertAtLeast(tookMs, 1_090);
  });
});
