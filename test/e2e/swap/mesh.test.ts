/** Swaps in the mesh: both sides of a mutual TLS connection, with all that Envoy gets over xDS and SDS. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { describeLoad, startLoadGenerator } from "../../support/load/generator.ts";
import { apiHost } from "../../support/mesh-objects.ts";
import { mostResets } from "../../support/overlap-loss.ts";
import { relabel } from "../../support/relabel.ts";
import { startWebAndApi } from "../../support/web-and-api.ts";

describe("swaps of both sidecars of a call, with mutual TLS and under load", { concurrency: 2 }, () => {
  for (const mode of ["hot", "overlap"] as const) {
    test(`${mode}: no request fails`, async (context) => {
      const changes = {
        flags: ["--swapMode", mode, "--parentShutdownDuration", "2s"],
        proxyConfig: { drainDuration: "1s" },
      };
      await using mesh = await startWebAndApi({ web: changes, api: changes });
      await using load = await startLoadGenerator({
        port: mesh.outboundPort,
        authority: apiHost,
        groups: [{ kind: "http1-keep-alive", clients: 20, perSecond: 300 }],
      });
      for (const version of [1, 2, 3]) {
        for (const sidecar of [mesh.api, mesh.web]) {
          const report = await relabel(sidecar, `v${version}`);
          assert.ok(report.result === "swapped" && report.mode === mode, JSON.stringify(report));
          await sleep(300);
        }
      }
      await sleep(2_500);
      const result = await load.stop();
      context.diagnostic(describeLoad(result));
      assert.ok(result.failures.length <= mostResets(mode), describeLoad(result));
      assert.ok(result.total > 2_000, describeLoad(result));
    });
  }
});
