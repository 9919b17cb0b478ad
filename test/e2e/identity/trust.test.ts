import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { describe, test } from "node:test";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { TestCa } from "../../support/ca.ts";
import { TestDiscoveryServer } from "../../support/discovery-server.ts";
import {
  directResponseListener,
  grpcSource,
  mutualTlsFromSds,
  pipeCluster,
} from "../../support/envoy-config.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { StandaloneSidecar, type StandaloneBootstrap } from "../../support/standalone-sidecar.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { type IssuedKeyPair, TestPki, validity } from "../../support/test-pki.ts";
import { callOverTls } from "../../support/tls-call.ts";
import { svid, TestWorkloadApi } from "../../support/workload-api.ts";
import { sotw } from "../../support/xds-messages.ts";

const withinMs = 15_000;
const hour = validity(-60_000, 3_600_000);
const ok = "HTTP/1.1 200 OK";
const aloneId = "spiffe://cluster.local/ns/demo/sa/alone";

function mutualTlsOn(port: number, rest: StandaloneBootstrap = {}): StandaloneBootstrap {
  return {
    ...rest,
    listeners: [
      directResponseListener({ port, transportSocket: mutualTlsFromSds(grpcSource("sds-grpc", "0s")) }),
    ],
    clusters: [
      pipeCluster("sds-grpc", "./var/run/secrets/workload-spiffe-uds/socket"),
      pipeCluster("xds-grpc", "./etc/istio/proxy/XDS"),
    ],
  };
}

/** Istio's ProxyConfig with these roots. */
function meshRoots(pems: readonly string[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const pem of pems) writer.tag(34, WireType.LengthDelimited).string(pem);
  return writer.finish();
}

function clientOf(pki: TestPki, id = "spiffe://cluster.local/ns/demo/sa/client"): Promise<IssuedKeyPair> {
  return pki.serverKeyPair([id], hour);
}

describe("roots that the control plane gives (PCDS)", () => {
  test("reach Envoy over SDS, and bring certificates of the next root: old, both, new, with no failed handshake", async () => {
    using folder = temporaryFolder();
    const [old, next] = await Promise.all([TestPki.create(), TestPki.create()]);
    const [oldClient, nextClient] = await Promise.all([clientOf(old), clientOf(next)]);
    await using ca = await TestCa.listen({ pki: old });
    await using discovery = await TestDiscoveryServer.listen();
    const [port = 0] = await freePorts(1);
    await using _ = await StandaloneSidecar.start({
      folder: folder.path,
      files: {
        "var/run/secrets/istio/root-cert.pem": old.rootPem,
        "var/run/secrets/tokens/istio-token": "opaque",
      },
      env: {
        CA_ADDR: ca.address,
        PROXY_CONFIG_XDS_AGENT: "true",
        SERVICE_ACCOUNT: "alone",
        ECC_SIGNATURE_ALGORITHM: "ECDSA",
      },
      proxyConfig: { discoveryAddress: discovery.address, controlPlaneAuthPolicy: "NONE" },
      bootstrap: mutualTlsOn(port, {
        dynamic_resources: {
          ads_config: {
            api_type: "GRPC",
            transport_api_version: "V3",
            grpc_services: [{ envoy_grpc: { cluster_name: "xds-grpc" } }],
          },
          lds_config: { ads: {}, resource_api_version: "V3" },
        },
      }),
    });
    const { stream, inbox } = await eventually(
      "Envoy's stream",
      () => {
        const [first] = discovery.streams;
        assert.ok(first !== undefined);
        return first;
      },
      { withinMs },
    );
    const asked: string[] = [];
    while (!asked.includes(typeUrl.proxyConfig))
      asked.push(sotw.readRequest(await inbox.next(withinMs)).typeUrl);
    assert.deepEqual(asked, [typeUrl.listener, typeUrl.proxyConfig]);
    stream.enqueue(sotw.response({ typeUrl: typeUrl.listener, nonce: "l", resources: [] }));
    assert.equal(sotw.readRequest(await inbox.next()).typeUrl, typeUrl.listener);
    let pushes = 0;
    const push = async (pems: readonly string[]): Promise<{ errorDetail?: unknown }> => {
      pushes += 1;
      stream.enqueue(sotw.raw(typeUrl.proxyConfig, `p${pushes}`, meshRoots(pems)));
      return sotw.readRequest(await inbox.next());
    };
    const served = (client: IssuedKeyPair): Promise<void> =>
      eventually("a handshake", async () => assert.equal((await callOverTls(port, client)).outcome, ok), {
        withinMs,
      });
    await served(oldClient);
    assert.notEqual((await callOverTls(port, nextClient)).outcome, ok);

    // The peer under way: it trusts what the mesh trusts, and has a certificate of the CA of the moment.
    const peer = { client: oldClient, roots: [old.rootPem], calls: 0, failures: [] as string[] };
    const more = async (): Promise<void> => {
      const enough = peer.calls + 5;
      await eventually("more handshakes", () => assert.ok(peer.calls >= enough), { withinMs: 60_000 });
    };
    const stop = new AbortController();
    const load = (async (): Promise<void> => {
      while (!stop.signal.aborted) {
        const { outcome } = await callOverTls(port, peer.client, peer.roots);
        if (outcome !== ok) peer.failures.push(outcome);
        peer.calls += 1;
        await sleep(10);
      }
    })();
    try {
      // The CA signs with the next root from now on, and the agent asks it without waiting for its own rotation.
      ca.answer = async ({ csr }) => [await next.sign(csr, hour), next.rootPem];
      peer.roots = [old.rootPem, next.rootPem];
      assert.equal((await push([old.rootPem, next.rootPem])).errorDetail, undefined);
      await served(nextClient);
      await more();
      const isOfNext = async (): Promise<void> => {
        const { outcome } = await callOverTls(port, nextClient, [next.rootPem]);
        assert.equal(outcome, ok);
      };
      await eventually("a certificate of the next root", isOfNext, { withinMs: 25_000 });
      peer.client = nextClient;
      await more();
      assert.equal((await push([next.rootPem])).errorDetail, undefined);
      await eventually(
        "the old root gone",
        async () => assert.notEqual((await callOverTls(port, oldClient)).outcome, ok),
        { withinMs },
      );
      peer.roots = [next.rootPem];
      await more();
    } finally {
      stop.abort();
      await load;
    }
    assert.deepEqual(peer.failures, []);

    // Nothing of a bundle that cannot be read is taken, and the control plane hears of it.
    const { errorDetail } = await push(["-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----"]);
    assert.match(JSON.stringify(errorDetail), /holds no PEM certificate/);
    await served(nextClient);
  });
});

describe("roots of another trust domain, from the Workload API", () => {
  test("vouch for clients of that domain only, and go when the API no longer names them; so do revoked certificates", async () => {
    using folder = temporaryFolder();
    const [own, other] = await Promise.all([TestPki.create(), TestPki.create()]);
    const [insider, outsider, impostor] = await Promise.all([
      clientOf(own),
      clientOf(other, "spiffe://other.org/ns/demo/sa/client"),
      clientOf(other),
    ]);
    const socket = join(folder.path, "agent.sock");
    const pair = await own.serverKeyPair([aloneId], hour);
    await using api = await TestWorkloadApi.listen(socket, [svid(aloneId, pair, [own.rootPem])]);
    api.federatedBundles = { "spiffe://other.org": new X509Certificate(other.rootPem).raw };
    const [port = 0] = await freePorts(1);
    await using sidecar = await StandaloneSidecar.ready({
      folder: join(folder.path, "alone"),
      env: { SPIFFE_ENDPOINT_SOCKET: `unix://${socket}` },
      bootstrap: mutualTlsOn(port),
    });
    const outcomes = async (): Promise<readonly boolean[]> => {
      const calls = await Promise.all(
        [insider, outsider, impostor].map((client) => callOverTls(port, client)),
      );
      return calls.map(({ outcome }) => outcome === ok);
    };
    await eventually("both domains", async () => assert.deepEqual(await outcomes(), [true, true, false]), {
      withinMs,
    });
    const { identity } = await sidecar.report();
    assert.deepEqual(Object.keys(identity.federatedRoots ?? {}), ["other.org"]);
    assert.equal(identity.roots?.length, 1);

    // What the API says is revoked is refused, in a federation and without one.
    const push = (): void => {
      api.svids.set([...api.svids.current]);
    };
    api.crl = [await own.revoke([insider.certificatePem])];
    push();
    await eventually("a revoked peer", async () => assert.deepEqual(await outcomes(), [false, true, false]), {
      withinMs,
    });
    api.federatedBundles = {};
    push();
    await eventually("nobody else", async () => assert.deepEqual(await outcomes(), [false, false, false]), {
      withinMs,
    });
    const peer = await clientOf(own);
    assert.equal((await callOverTls(port, peer)).outcome, ok);

    api.crl = [];
    push();
    await eventually("one domain", async () => assert.deepEqual(await outcomes(), [true, false, false]), {
      withinMs,
    });
  });
});
