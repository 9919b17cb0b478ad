/** A log that nobody reads stops nothing. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { get } from "../support/mesh.ts";
import { StandaloneSidecar } from "../support/standalone-sidecar.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** Standard output is a pipe whose reader waits for the agent's end and reads nothing. */
const unread = ["bash", "-c", 'exec "$0" "$@" > >(exec tail -f /dev/null --pid=$$)'];

describe("an agent whose log nobody reads", () => {
  test("counts what is lost of its own and Envoy's lines, is probed, serves, and stops when it is asked to", async () => {
    using folder = temporaryFolder();
    await using sidecar = await StandaloneSidecar.ready({
      folder: folder.path,
      flags: ["--proxyLogLevel=trace", "--log_output_level=all:debug"],
      launcher: unread,
    });
    await eventually(
      "lines are lost",
      async () => {
        for (let call = 0; call < 50; call += 1) await get(sidecar.trafficPort, "/");
        assert.ok((await sidecar.metric('outrider_log_lines_lost_total{target="stdout"}')) > 0);
      },
      { withinMs: 30_000, everyMs: 1 },
    );
    for (let probe = 0; probe < 15; probe += 1) assert.equal(await sidecar.isReady(), true);
    assert.equal((await get(sidecar.trafficPort, "/")).status, 200);
    sidecar.agent.kill("SIGTERM");
    assert.deepEqual(await sidecar.agent.exitWithin(20_000), { kind: "exited", code: 0 });
  });
});
