import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import { eventually } from "../../support/eventually.ts";
import { startLoad } from "../../support/load.ts";
import { memoryFolder } from "../../support/memory-folder.ts";
import { type SidecarChanges, startMs } from "../../support/mesh.ts";
import { startWebAndApi } from "../../support/web-and-api.ts";

describe("both sidecars of a STRICT mesh start while its control plane and CA are dead", () => {
  test("they serve mutual TLS from what they kept, say so, and renew when the CA is back", async (t) => {
    // As in a pod: the configuration path is an emptyDir in memory, and nothing else is told.
    using memory = memoryFolder();
    const changes = (name: string): SidecarChanges => ({
      proxyConfig: { configPath: join(memory.path, name) },
    });
    await using mesh = await startWebAndApi({ web: changes("web"), api: changes("api") });
    assert.equal((await mesh.call()).status, 200);
    const serials = await Promise.all(
      [mesh.web, mesh.api].map(async (sidecar) => (await sidecar.report()).identity.chain?.[0]?.serial),
    );
    for (const { agent } of [mesh.web, mesh.api]) agent.kill("SIGTERM");
    await Promise.all([mesh.web, mesh.api].map(({ agent }) => agent.exitWithin(20_000)));
    mesh.mesh.controlPlane.kill("SIGKILL");
    await mesh.mesh.controlPlane.exitWithin(5_000);

    const startedAt = performance.now();
    const again = await Promise.all(["web", "api"].map((name) => mesh.mesh.sidecar(name, changes(name))));
    await Promise.all(again.map((sidecar) => sidecar.ready()));
    await eventually("a call", async () => assert.equal((await mesh.call()).status, 200), {
      withinMs: startMs,
    });
    t.diagnostic(`a call over mutual TLS ${Math.round(performance.now() - startedAt)} ms after the restart`);
    const header = String(mesh.app.requests.at(-1)?.["x-forwarded-client-cert"]);
    assert.match(header, /;URI=spiffe:\/\/cluster\.local\/ns\/demo\/sa\/web$/);
    for (const [index, sidecar] of again.entries()) {
      const { identity, xds } = await sidecar.report();
      assert.equal(identity.source, "the identity cache");
      assert.equal(identity.chain?.[0]?.serial, serials[index]);
      assert.equal(xds.state, "stale");
      assert.match(
        sidecar.agent.lines.join("\n"),
        /serving the certificate of an earlier run until a new one comes.*certificateAge=.* token=/,
      );
      await eventually(
        `${sidecar.name}'s problem`,
        async () =>
          assert.match((await sidecar.report()).identity.problem ?? "", /the CA .* cannot be reached/),
        { withinMs: 10_000 },
      );
      assert.doesNotMatch(sidecar.agent.lines.join("\n"), /PRIVATE KEY/);
    }

    await using load = startLoad(() => mesh.call());
    await mesh.mesh.restartControlPlane();
    for (const sidecar of again) {
      await eventually(
        `${sidecar.name}'s new certificate`,
        async () => assert.match((await sidecar.report()).identity.source ?? "", /^the CA /),
        { withinMs: 60_000 },
      );
    }
    await load.more(10);
    assert.deepEqual(await load.stop(), []);
  });
});
