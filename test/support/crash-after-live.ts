/** A newcomer that dies when it has taken over: the last good bootstrap serves again, at once. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { eventually } from "./eventually.ts";
import { nextLiveEnvoy } from "./live-watch.ts";
import { describeLoad, mixedGroups, startLoadGenerator } from "./load/generator.ts";
import { ProbeSeries } from "./probe-series.ts";
import { StandaloneSidecar } from "./standalone-sidecar.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const perSecond = 200;
const groups = mixedGroups(perSecond);
const clients = groups.reduce((sum, group) => sum + group.clients, 0);

export interface CrashFigures {
  /** The longest time without an Envoy that answers. */
  readonly outageMs: number;
  /** What came of it, for people. */
  readonly text: string;
}

/** Modes, and milliseconds after LIVE. */
export const crashes = (["overlap", "hot"] as const).flatMap((mode) =>
  [0, 400].map((afterMs) => ({ mode, afterMs })),
);

/** Crash the newcomer of a swap so long after it is LIVE, and see the last good bootstrap serve again. */
export async function crashAfterLive(mode: "overlap" | "hot", afterMs: number): Promise<CrashFigures> {
  using folder = temporaryFolder();
  await using sidecar = await StandaloneSidecar.ready({ folder: folder.path, flags: ["--swapMode", mode] });
  const { generation = 0 } = (await sidecar.report()).envoy;
  const good = readFileSync(join(sidecar.configPath, "last-good.json"), "utf8");
  await using load = await startLoadGenerator({ port: sidecar.trafficPort, groups });
  await using traffic = new ProbeSeries({ host: "127.0.0.1", port: sidecar.trafficPort }, "/", 5);
  await using readiness = new ProbeSeries(
    { host: "127.0.0.1", port: sidecar.ports.status },
    "/healthz/ready",
    5,
  );
  const swap = sidecar.swap();
  const newcomer = await nextLiveEnvoy(folder.path, sidecar.configPath, generation);
  await sleep(afterMs);
  process.kill(newcomer, "SIGSEGV");
  const { report } = await swap;
  // The agent may have seen the file, and swapped, before it was asked to.
  assert.match(report.result, /^(swapped|unchanged|refused)$/);
  await eventually(
    "ready with another Envoy",
    async () => {
      const { ready, envoy } = await sidecar.report();
      assert.ok(ready && envoy.pid !== newcomer, JSON.stringify(envoy));
    },
    { withinMs: 10_000, everyMs: 10 },
  );
  const { envoy } = await sidecar.report();
  assert.match(envoy.lastExit?.message ?? "", /SIGSEGV/);
  assert.equal(await sidecar.metric('outrider_envoy_exits_total{reason="signal"}'), 1);
  assert.ok(envoy.refused !== undefined, "what crashed is not tried again");
  assert.equal(readFileSync(join(sidecar.configPath, "last-good.json"), "utf8"), good);
  await Promise.all([traffic[Symbol.asyncDispose](), readiness[Symbol.asyncDispose]()]);
  const result = await load.stop();
  const lost = result.failures.length + result.raced.length;
  // On a busy machine the one that asks may sleep through the beginning of it; nobody takes a connection in all of it.
  const refusedAt = result.failures.flatMap(({ phase, at }) => (phase === "connect" ? [at] : []));
  const nobodyMs = refusedAt.length === 0 ? 0 : Math.max(...refusedAt) - Math.min(...refusedAt);
  const outageMs = Math.max(traffic.longestOutageMs, nobodyMs);
  assert.ok(lost <= clients + (perSecond * outageMs) / 1_000, describeLoad(result));
  const deaths = sidecar.agent.lines.filter((line) => line.includes("Envoy died, restarting it"));
  // As long as the swap is not over, it is the swap that fails, and nobody has died who served.
  if (report.result !== "refused") assert.equal(deaths.length, 1, deaths.join("\n"));
  for (const death of deaths) assert.match(death, / delayMs=0\b/);
  return {
    outageMs: traffic.longestOutageMs,
    text: `${mode}, ${afterMs} ms after LIVE (${report.result}): nobody served for ${traffic.longestOutageMs} ms, unready for ${readiness.longestOutageMs} ms: ${describeLoad(result)}`,
  };
}
