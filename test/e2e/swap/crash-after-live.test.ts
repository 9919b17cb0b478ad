/** A newcomer that dies when it has taken over: the last good bootstrap serves again, at once. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { eventually } from "../../support/eventually.ts";
import { nextLiveEnvoy } from "../../support/live-watch.ts";
import { describeLoad, mixedGroups, startLoadGenerator } from "../../support/load/generator.ts";
import { ProbeSeries } from "../../support/probe-series.ts";
import { StandaloneSidecar } from "../../support/standalone-sidecar.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const perSecond = 200;
const groups = mixedGroups(perSecond);
const clients = groups.reduce((sum, group) => sum + group.clients, 0);

/** The longest time without an Envoy that answers, per crash. */
async function crash(mode: "overlap" | "hot", afterMs: number, say: (text: string) => void): Promise<number> {
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
  assert.match(report.result, /^(swapped|refused)$/);
  await eventually(
    "ready with another Envoy",
    async () => {
      const { ready, envoy } = await sidecar.report();
      assert.ok(ready && envoy.pid !== newcomer, JSON.stringify(envoy));
    },
    { withinMs: 5_000, everyMs: 10 },
  );
  const { envoy } = await sidecar.report();
  assert.match(envoy.lastExit?.message ?? "", /SIGSEGV/);
  assert.equal(await sidecar.metric('outrider_envoy_exits_total{reason="signal"}'), 1);
  assert.ok(envoy.refused !== undefined, "what crashed is not tried again");
  assert.equal(readFileSync(join(sidecar.configPath, "last-good.json"), "utf8"), good);
  await Promise.all([traffic[Symbol.asyncDispose](), readiness[Symbol.asyncDispose]()]);
  const result = await load.stop();
  say(
    `${mode}, ${afterMs} ms after LIVE (${report.result}): nobody served for ${traffic.longestOutageMs} ms, unready for ${readiness.longestOutageMs} ms: ${describeLoad(result)}`,
  );
  const lost = result.failures.length + result.raced.length;
  assert.ok(lost <= clients + (perSecond * traffic.longestOutageMs) / 1_000, describeLoad(result));
  return traffic.longestOutageMs;
}

describe("a newcomer that crashes after it is LIVE", () => {
  for (const mode of ["overlap", "hot"] as const) {
    for (const afterMs of [0, 400]) {
      test(`${mode}, ${afterMs} ms after: the last good bootstrap serves within 500 ms, and the loss is bounded`, async (context) => {
        const outages: number[] = [];
        for (let round = 0; round < 3; round += 1) {
          outages.push(
            await crash(mode, afterMs, (text) => {
              context.diagnostic(text);
            }),
          );
        }
        const median = outages.toSorted((a, b) => a - b)[1] ?? 0;
        assert.ok(median <= 500, `nobody served for ${outages.join(", ")} ms`);
      });
    }
  }
});
