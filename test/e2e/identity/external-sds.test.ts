import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  directResponseListener,
  grpcSource,
  mutualTlsFromSds,
  pipeCluster,
} from "../../support/envoy-config.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { KubernetesVolume } from "../../support/kubernetes-volume.ts";
import { startLoad } from "../../support/load.ts";
import { get } from "../../support/mesh.ts";
import { TestSdsServer, workloadSecrets } from "../../support/sds-server.ts";
import { serves } from "../../support/serves.ts";
import { StandaloneSidecar } from "../../support/standalone-sidecar.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { TestPki, validity } from "../../support/test-pki.ts";
import { callOverTls } from "../../support/tls-call.ts";
import { startWebAndApi } from "../../support/web-and-api.ts";

const identityOf = (name: string): string => `spiffe://cluster.local/ns/demo/sa/${name}`;
const sdsSocket = "var/run/secrets/workload-spiffe-uds/socket";
const filesSocket = "var/run/secrets/credential-uds/files-socket";

describe("another server's SDS socket at one end, the volume of SPIFFE credentials at the other", () => {
  test("serve mutual TLS and rotate, roots too, with no failed request; the agent leaves the socket alone", async () => {
    const [old, next] = await Promise.all([TestPki.create(), TestPki.create()]);
    await using stack = new AsyncDisposableStack();
    let sds: TestSdsServer | undefined;
    let credentials: TestSdsServer | undefined;
    let volume: KubernetesVolume | undefined;
    const rotate = async (issuer: TestPki, roots: readonly TestPki[]): Promise<readonly [string, string]> => {
      const valid = validity(-60_000, 3_600_000);
      const [web, api] = await Promise.all(
        ["web", "api"].map((name) => issuer.serverKeyPair([identityOf(name)], valid)),
      );
      assert.ok(web !== undefined && api !== undefined);
      const rootPems = roots.map(({ rootPem }) => rootPem);
      sds?.secrets.set(workloadSecrets(web, rootPems));
      volume?.write({
        "cert-chain.pem": api.certificatePem,
        "key.pem": api.privateKeyPem,
        "root-cert.pem": rootPems.join("\n"),
      });
      return [web.certificatePem, api.certificatePem];
    };
    const mesh = stack.use(
      await startWebAndApi({
        api: {
          prepare: async (folder) => {
            volume = new KubernetesVolume(join(folder, "var/run/secrets/workload-spiffe-credentials"));
            await rotate(old, [old]);
          },
        },
        web: {
          prepare: async (folder) => {
            sds = stack.use(await TestSdsServer.listen(join(folder, sdsSocket), []));
            credentials = stack.use(
              await TestSdsServer.listen(join(folder, "var/run/secrets/credential-uds/socket"), []),
            );
            await rotate(old, [old]);
          },
        },
      }),
    );
    assert.equal((await mesh.call()).status, 200);
    await using load = startLoad(() => mesh.call());
    for (const [issuer, roots] of [
      [old, [old]],
      [old, [old, next]],
      [next, [old, next]],
      [next, [next]],
    ] as const) {
      const [web, api] = await rotate(issuer, roots);
      await Promise.all([serves(mesh.web, web, roots.length), serves(mesh.api, api, roots.length)]);
      await load.more(10);
    }
    assert.deepEqual(await load.stop(), []);

    const { identity } = await mesh.web.report();
    assert.match(identity.source ?? "", /the SDS socket .*workload-spiffe-uds\/socket/);
    assert.match(
      mesh.web.agent.lines.join("\n"),
      /another server is at the SDS socket: Envoy has its certificate from there/,
    );
    const asked = (sds?.askers ?? []).every((id) => id.startsWith("sidecar~127.0.0.1~web-1.demo~"));
    assert.ok(asked, sds?.askers.join(", "));
    assert.deepEqual(credentials?.askers, [], "the agent has no use for credentials of its own");
    assert.equal(statSync(join(mesh.web.folder, filesSocket)).mode & 0o777, 0o600);
    const dump = (await get(mesh.web.ports.admin, "/config_dump?mask=bootstrap")).body.toString();
    assert.match(dump, /"credential": "true"/);
    assert.match(dump, /"file-credential": "true"/);
    assert.match((await get(mesh.web.ports.admin, "/clusters")).body.toString(), /^sds-files-grpc::/m);

    // The server goes away: what Envoy has stays good, and the agent says what is wrong.
    await sds?.[Symbol.asyncDispose]();
    await eventually(
      "the problem",
      async () =>
        assert.match(
          (await mesh.web.report()).identity.problem ?? "",
          /the SDS socket .* which is another server's, cannot be reached.*Check that server/,
        ),
      { withinMs: 10_000 },
    );
    assert.equal((await mesh.call()).status, 200);
    assert.equal((await mesh.web.report()).ready, true);
    sds = await TestSdsServer.listen(join(mesh.web.folder, sdsSocket), []);
    stack.use(sds);
    const [again] = await rotate(next, [next]);
    await serves(mesh.web, again, 1);
    assert.equal((await mesh.web.report()).identity.problem, undefined);

    mesh.web.agent.kill("SIGTERM");
    assert.deepEqual(await mesh.web.agent.exitWithin(20_000), { kind: "exited", code: 0 });
    assert.ok(existsSync(join(mesh.web.folder, sdsSocket)), "the socket is its owner's");
  });
});

describe("a socket of another name, which says that there will be a server", () => {
  test("is waited for: the sidecar is not ready and says why, and is once the server is there", async () => {
    using folder = temporaryFolder();
    const pki = await TestPki.create();
    const [port = 0] = await freePorts(1);
    const socket = "var/run/secrets/workload-spiffe-uds/spire.sock";
    await using sidecar = await StandaloneSidecar.start({
      folder: folder.path,
      env: { WORKLOAD_IDENTITY_SOCKET_FILE: "spire.sock" },
      bootstrap: {
        listeners: [
          directResponseListener({ port, transportSocket: mutualTlsFromSds(grpcSource("sds-grpc", "0s")) }),
        ],
        clusters: [pipeCluster("sds-grpc", `./${socket}`)],
      },
    });
    await eventually(
      "the reason",
      async () => {
        const { ready, reason, identity } = await sidecar.report();
        assert.equal(ready, false);
        assert.match(
          `${reason}`,
          /the SDS socket .*spire\.sock, which is another server's, cannot be reached/,
        );
        assert.equal(identity.spiffeId, undefined);
      },
      { withinMs: 20_000 },
    );
    const pair = await pki.serverKeyPair([identityOf("alone")], validity(-60_000, 3_600_000));
    await using _ = await TestSdsServer.listen(
      join(folder.path, socket),
      workloadSecrets(pair, [pki.rootPem]),
    );
    await sidecar.ready(40_000);
    const client = await pki.serverKeyPair([identityOf("client")], validity(-60_000, 3_600_000));
    await eventually(
      "a call",
      async () => assert.equal((await callOverTls(port, client)).outcome, "HTTP/1.1 200 OK"),
      { withinMs: 20_000 },
    );
  });
});
