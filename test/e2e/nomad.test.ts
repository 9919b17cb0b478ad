/**
 * Two Envoys whose services come from Nomad, with the identities that it signs: whatever happens to it, what is well is called.
 * Its documented API is played: see scripted-nomad.ts.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { eventually } from "../support/eventually.ts";
import { freePorts } from "../support/free-ports.ts";
import { startApp } from "../support/http-app.ts";
import { startLoad } from "../support/load.ts";
import { get, TestMesh } from "../support/mesh.ts";
import { egress, ingress, mutualTls } from "../support/mesh-objects.ts";
import { ScriptedNomad } from "../support/scripted-nomad.ts";

const withinMs = 60_000;

/** Where Nomad's jobs are unless something else is said, and so their services. */
const namespace = "default";

function inDefault(object: object): object {
  const { metadata, ...rest } = object as { readonly metadata: object };
  return { ...rest, metadata: { ...metadata, namespace } };
}

/** The key of Nomad, and what it signs for the sidecar of a job. */
async function signing(): Promise<{ readonly jwk: object; token(job: string): Promise<string> }> {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { modulusLength: 2_048 });
  return {
    jwk: { ...(await exportJWK(publicKey)), kid: "1", alg: "RS256", use: "sig" },
    token: (job) =>
      new SignJWT({
        nomad_namespace: namespace,
        nomad_job_id: job,
        nomad_allocation_id: "a",
        nomad_task: "sidecar",
      })
        .setProtectedHeader({ alg: "RS256", kid: "1" })
        .setSubject(`global:${namespace}:${job}:${job}:sidecar:istio`)
        .setAudience("istio-ca")
        .setIssuedAt()
        .setExpirationTime("1h")
        .sign(privateKey),
  };
}

describe("with Nomad", () => {
  test(
    "calls follow what is registered and well, and nothing is lost with Nomad",
    { timeout: 600_000 },
    async () => {
      await using stack = new AsyncDisposableStack();
      const keys = await signing();
      const nomad = await ScriptedNomad.start();
      nomad.keys = [keys.jwk];
      const [inbound = 0, outbound = 0] = await freePorts(2);
      const app = stack.use(await startApp("api"));
      const api = {
        Address: "127.0.0.1",
        Port: inbound,
        Tags: ["port=80", "protocol=http", "serviceAccount=api"],
      };
      const { AllocID } = nomad.register("api", api);
      const mesh = stack.use(
        await TestMesh.start(
          {
            "api.yaml": [inDefault(ingress("api", inbound, app.port)), inDefault(mutualTls("STRICT"))],
            "web.yaml": [inDefault(egress("web", outbound))],
          },
          ["--registries=Nomad", "--nomadAddress", nomad.url],
        ),
      );
      const sidecar = async (job: string): ReturnType<TestMesh["sidecar"]> =>
        mesh.sidecar(job, { token: await keys.token(job), env: { POD_NAMESPACE: namespace } });
      const [web, server] = await Promise.all([sidecar("web"), sidecar("api")]);
      await Promise.all([web.ready(), server.ready()]);
      const call = (): ReturnType<typeof get> => get(outbound, "/", { host: "api.service.nomad" });
      const answers = (what: string, expected: number): Promise<void> =>
        eventually(what, async () => assert.equal((await call()).status, expected), { withinMs });
      const isUp = (expected: number): Promise<void> =>
        eventually(
          `registry_up ${expected}`,
          async () => {
            const { body } = await get(mesh.controlPlanePorts.http, "/metrics");
            assert.match(
              body.toString("utf8"),
              new RegExp(`pilot_registry_up\\{registry="nomad"\\} ${expected}`),
            );
          },
          { withinMs },
        );

      await answers("a call through both Envoys", 200);
      assert.match(
        String(app.requests.at(-1)?.["x-forwarded-client-cert"]),
        /URI=spiffe:\/\/cluster\.local\/ns\/default\/sa\/web/,
      );

      // The allocation is lost, and found again.
      nomad.allocation(AllocID, "unknown");
      await answers("no endpoint", 503);
      nomad.allocation(AllocID, "running");
      await answers("the endpoint again", 200);

      await using load = startLoad(call);
      // The token is refused, and the leader lost.
      for (const refusing of [
        { status: 403, body: "Permission denied" },
        { status: 500, body: "No cluster leader" },
      ]) {
        nomad.refusing = refusing;
        nomad.endStreams();
        await isUp(0);
        await load.more(50);
        nomad.refusing = undefined;
        await isUp(1);
      }
      // Gone, and back with nothing: jobs register again.
      await nomad[Symbol.asyncDispose]();
      await isUp(0);
      await load.more(50);
      const again = stack.use(await ScriptedNomad.start({ port: nomad.port, index: 1 }));
      again.keys = [keys.jwk];
      again.register("api", { ...api, ID: "_nomad-task-api-1" });
      await isUp(1);
      await load.more(50);
      // Restarted while Nomad refuses: what was kept is served.
      again.refusing = { status: 403, body: "Permission denied" };
      mesh.controlPlane.kill("SIGKILL");
      await mesh.controlPlane.exited;
      await mesh.restartControlPlane();
      const { body } = await get(mesh.controlPlanePorts.http, "/debug/configz");
      assert.match(body.toString("utf8"), /nomad\.api\.80[^]*what it had at .* is served/);
      await load.more(50);
      assert.deepEqual(await load.stop(), []);
    },
  );
});
