/** Where the connections of a captured pod end, by every way of capturing them, with a real Envoy in between. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import type { ConnectionsReport, TrafficReport } from "../support/captured-connections.ts";
import { ways } from "../support/captured-rules.ts";
import { type Scene, scenes, type SceneName } from "../support/captured-scenes.ts";
import { inOwnNetwork, whyNoOwnNetwork } from "../support/own-network.ts";

describe("connections of a captured pod end where they must", { skip: whyNoOwnNetwork() }, () => {
  let report: ConnectionsReport;
  before(async () => {
    report = await inOwnNetwork<ConnectionsReport>({
      // Without a search for duplicates an address is what it is from the first moment.
      sysctls: { "net.ipv4.ip_forward": 1, "net.ipv6.conf.default.accept_dad": 0 },
      program: join(import.meta.dirname, "../support/captured-connections.ts"),
      options: {},
    });
  });

  for (const [name, scene] of Object.entries<Scene>(scenes)) {
    for (const way of ways) {
      test(`${name}, by ${way}`, () => {
        const { ends, isClean } = report.scenes[way][name as SceneName];
        const expected = Object.entries(scene.calls).map(([what, call]) => [what, call.ends]);
        assert.deepEqual(ends, Object.fromEntries(expected));
        assert.ok(isClean, "cleaning leaves what was there before");
      });
    }
  }

  for (const way of ways) {
    test(`while the rules change, every connection goes through Envoy, by ${way}`, () => {
      report.changes[way].forEach(allThroughEnvoy);
      report.switches[way].forEach(allThroughEnvoy);
    });
  }

  test("while one way of capturing takes over from another, every connection goes through Envoy", () => {
    allThroughEnvoy(report.betweenWays);
  });
});

function allThroughEnvoy({ "through Envoy": through = 0, ...others }: TrafficReport): void {
  assert.deepEqual(others, {});
  assert.ok(through > 0);
}
