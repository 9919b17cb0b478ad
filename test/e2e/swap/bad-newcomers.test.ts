/** A newcomer that cannot take over is refused with its reason, and costs the Envoy that serves nothing. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { badNewcomers } from "../../support/bad-newcomers.ts";
import { envoysOf } from "../../support/envoys-of.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { describeLoad, mixedGroups, startLoadGenerator } from "../../support/load/generator.ts";
import { ProbeSeries } from "../../support/probe-series.ts";
import { ScriptedEnvoy } from "../../support/scripted-envoy.ts";
import { StandaloneSidecar, type TimedReload } from "../../support/standalone-sidecar.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

function reasonOf({ report }: TimedReload): string {
  switch (report.result) {
    case "refused":
      return report.reason;
    case "invalid":
      return report.problems.join("\n");
    default:
      return "";
  }
}

/** A taken port and an impossible mode are no fault of the newcomer, which may be tried again. */
function isToBlame({ report }: TimedReload): boolean {
  return report.result !== "refused" || (report.stage !== "ports" && report.stage !== "mode");
}

for (const mode of ["overlap", "hot"] as const) {
  describe(`a newcomer in mode ${mode} with`, { concurrency: 3 }, () => {
    for (const { name, prepare, says } of badNewcomers) {
      const message = says[mode];
      test(message === undefined ? `${name} takes over` : `${name} is refused`, async (context) => {
        using folder = temporaryFolder();
        await using stack = new AsyncDisposableStack();
        const envoy = await ScriptedEnvoy.in(folder.path);
        const sidecar = stack.use(
          await StandaloneSidecar.ready({
            folder: folder.path,
            flags: ["--swapMode", mode, "--swapTimeout", "2s"],
            envoyPath: envoy.path,
          }),
        );
        const [sparePort = 0] = await freePorts(1);
        const oldPid = await sidecar.envoyPid();
        await using load = await startLoadGenerator({
          port: sidecar.trafficPort,
          groups: mixedGroups(200),
        });
        const admin = stack.use(
          new ProbeSeries({ host: "127.0.0.1", port: sidecar.ports.admin }, "/ready", 20),
        );
        const readiness = stack.use(
          new ProbeSeries({ host: "127.0.0.1", port: sidecar.ports.status }, "/healthz/ready", 20),
        );
        await using trouble = new AsyncDisposableStack();
        await prepare({ sidecar, envoy, sparePort, stack: trouble });
        const bad = await sidecar.reload();
        if (message === undefined) assert.equal(bad.report.result, "swapped");
        else {
          assert.match(bad.report.result, /^(refused|invalid)$/);
          assert.match(reasonOf(bad), message);
          const { envoy: state } = await sidecar.report();
          if (isToBlame(bad))
            assert.match([state.refused, ...(state.configurationProblems ?? [])].join("\n"), message);
          if (mode === "overlap") {
            assert.equal(state.pid, oldPid);
            await eventually(
              "the newcomer gone",
              () =>
                assert.deepEqual(
                  envoysOf(folder.path).map(({ pid }) => pid),
                  [oldPid],
                ),
              { withinMs: 5_000 },
            );
          }
        }
        await trouble.disposeAsync();
        // By overlap the good one may cost a connection that waits to be accepted, which is another test's affair.
        if (mode === "overlap") await load.stop();

        envoy.become("real");
        const before = (await sidecar.report()).envoy.generation ?? 0;
        const good = await sidecar.swap({});
        // The agent may have seen the file, and swapped, before it was asked to.
        assert.match(good.report.result, /^(swapped|unchanged)$/, JSON.stringify(good.report));
        const { envoy: after } = await sidecar.report();
        assert.ok((after.generation ?? 0) > before, JSON.stringify({ before, after }));
        assert.equal(after.refused, undefined);
        assert.equal(after.configurationProblems, undefined);
        await Promise.all([admin[Symbol.asyncDispose](), readiness[Symbol.asyncDispose]()]);
        const result = await load.stop();
        context.diagnostic(
          `refused after ${Math.round(bad.tookMs)} ms, without admin ${admin.longestOutageMs} ms: ${describeLoad(result)}`,
        );
        assert.equal(result.failures.length + result.raced.length, 0, describeLoad(result));
        // Hot restart may take the admin interface from the old Envoy: it has to be back in the end.
        assert.equal(admin.answers.at(-1)?.status, 200);
        assert.deepEqual(
          readiness.answers.filter(({ status }) => status !== undefined && status !== 200),
          [],
          "it was ready all the time",
        );
      });
    }
  });
}
