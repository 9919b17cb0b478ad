import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { GrpcError } from "../../../src/grpc/grpc-error.ts";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { type ServedStream, TestDiscoveryServer } from "../../support/discovery-server.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { nameTableType } from "../../support/resource-handlers.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { TestPki, validity } from "../../support/test-pki.ts";
import { xdsFixture } from "../../support/xds-fixture.ts";
import { delta, sotw } from "../../support/xds-messages.ts";

for (const encoding of [sotw, delta]) {
  describe(`XdsProxy with ${encoding.method}`, () => {
    test("passes the bytes of both directions on as they are", async () => {
      await using discovery = await TestDiscoveryServer.listen();
      await using xds = await xdsFixture({ address: discovery.address });
      const { stream, inbox } = xds.envoy(encoding);
      const request = encoding.request({ typeUrl: typeUrl.cluster });
      stream.enqueue(request);
      const upstream = await discovery.stream(0);
      assert.equal(upstream.method, encoding.method);
      assert.deepEqual(await upstream.inbox.next(), request);

      const small = encoding.response({ typeUrl: typeUrl.cluster, nonce: "1" });
      const large = encoding.response({
        typeUrl: typeUrl.listener,
        nonce: "2",
        bytes: randomBytes(20 * 1_024 * 1_024),
      });
      upstream.stream.enqueue(small);
      upstream.stream.enqueue(large);
      assert.deepEqual(await inbox.next(), small);
      assert.ok((await inbox.next(20_000)).equals(large));
    });

    test("counts what Envoy accepts and refuses, and says what it refuses", async () => {
      await using discovery = await TestDiscoveryServer.listen();
      await using xds = await xdsFixture({ address: discovery.address });
      const { stream, inbox } = xds.envoy(encoding);
      stream.enqueue(encoding.request({ typeUrl: typeUrl.cluster }));
      const upstream = await discovery.stream(0);
      for (const nonce of ["1", "2"]) {
        upstream.stream.enqueue(encoding.response({ typeUrl: typeUrl.cluster, nonce }));
        await inbox.next();
      }
      stream.enqueue(encoding.request({ typeUrl: typeUrl.cluster, nonce: "1" }));
      stream.enqueue(encoding.request({ typeUrl: typeUrl.cluster, nonce: "2", error: "no such filter" }));
      // A change of subscription repeats the newest nonce.
      stream.enqueue(encoding.request({ typeUrl: typeUrl.cluster, nonce: "2" }));
      for (let index = 0; index < 4; index += 1) await upstream.inbox.next();

      assert.deepEqual(xds.proxy.state.current.types, {
        [typeUrl.cluster]: { received: 2, acked: 1, nacked: 1, lastError: "no such filter" },
      });
      const refusals = xds.lines.filter((line) => line.includes("no such filter"));
      assert.equal(refusals.length, 1);
      assert.match(refusals[0] ?? "", /^warn\tEnvoy refused configuration\t.*Cluster/);
      const metrics = await xds.metrics.render();
      assert.match(metrics, /istio_agent_xds_proxy_requests 4\n/);
      assert.match(metrics, /istio_agent_xds_proxy_responses 2\n/);
    });
  });
}

describe("XdsProxy", () => {
  test("listens on a socket that only its owner may use, and is idle until Envoy comes", async () => {
    await using xds = await xdsFixture({ address: "127.0.0.1:1" });
    assert.equal(statSync(xds.path).mode & 0o777, 0o600);
    assert.equal(xds.proxy.state.current.kind, "idle");
  });

  test("presents token, cluster and headers", async () => {
    await using discovery = await TestDiscoveryServer.listen();
    await using xds = await xdsFixture(
      { address: discovery.address, headers: { "x-team": "mesh" } },
      "the-token",
    );
    xds.envoy(delta).stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
    const { context } = await discovery.stream(0);
    assert.equal(context.metadata("authorization"), "Bearer the-token");
    assert.equal(context.metadata("clusterid"), "Kubernetes");
    assert.equal(context.metadata("x-team"), "mesh");
    assert.doesNotMatch(xds.lines.join("\n"), /the-token/);
  });

  test("keeps from Envoy what is not Envoy's", async () => {
    await using discovery = await TestDiscoveryServer.listen();
    await using xds = await xdsFixture({ address: discovery.address });
    const { stream, inbox } = xds.envoy(delta);
    stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
    const upstream = await discovery.stream(0);
    upstream.stream.enqueue(delta.response({ typeUrl: nameTableType, nonce: "1" }));
    const clusters = delta.response({ typeUrl: typeUrl.cluster, nonce: "2" });
    upstream.stream.enqueue(clusters);
    assert.deepEqual(await inbox.next(), clusters);
  });

  test("takes hardly more responses than Envoy does", async () => {
    await using discovery = await TestDiscoveryServer.listen();
    await using xds = await xdsFixture({ address: discovery.address });
    const { stream, inbox } = xds.envoy(delta);
    stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
    const upstream = await discovery.stream(0);
    const large = delta.response({ typeUrl: typeUrl.cluster, nonce: "1", bytes: randomBytes(1_000_000) });
    for (let index = 0; index < 100; index += 1) upstream.stream.enqueue(large);
    await inbox.next();
    await sleep(500);
    const [, responses] = /xds_proxy_responses (\d+)/.exec(await xds.metrics.render()) ?? [];
    // The HTTP/2 window of the test's own Envoy holds 2 MiB, its reader, the proxy's hands and the socket one each.
    assert.ok(Number(responses) < 8, `${responses} of 100 responses were taken`);
  });

  test("takes every request, also while the discovery server takes none", async () => {
    await using discovery = await TestDiscoveryServer.listen();
    await using xds = await xdsFixture({ address: discovery.address });
    const { stream } = xds.envoy(delta);
    const request = Buffer.concat([
      delta.request({ typeUrl: typeUrl.cluster }),
      // An unknown field of 128 KiB, to fill every buffer on the way.
      Buffer.from("f23f808008", "hex"),
      Buffer.alloc(131_072),
    ]);
    for (let index = 0; index < 200; index += 1) stream.enqueue(request);
    const upstream = await discovery.stream(0);
    await eventually(
      "every request",
      async () => assert.match(await xds.metrics.render(), /xds_proxy_requests 200\n/),
      { withinMs: 5_000 },
    );
    for (let index = 0; index < 200; index += 1) assert.ok((await upstream.inbox.next()).equals(request));
  });

  test("serves two Envoys side by side, each with an upstream of its own", async () => {
    await using discovery = await TestDiscoveryServer.listen();
    await using xds = await xdsFixture({ address: discovery.address });
    const envoys: { envoy: ReturnType<typeof xds.envoy>; upstream: ServedStream }[] = [];
    for (const index of [0, 1]) {
      const envoy = xds.envoy(delta);
      envoy.stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
      const upstream = await discovery.stream(index);
      envoys.push({ envoy, upstream });
    }
    for (const round of ["1", "2"]) {
      for (const [index, { envoy, upstream }] of envoys.entries()) {
        const bytes = Buffer.from(`${round} for ${index}`);
        const response = delta.response({ typeUrl: typeUrl.cluster, nonce: round, bytes });
        upstream.stream.enqueue(response);
        assert.deepEqual(await envoy.inbox.next(), response);
      }
    }
    envoys[0]?.envoy.stream.cancel();
    await eventually(
      "the end of the first upstream",
      () => assert.ok(envoys[0]?.upstream.context.signal.aborted),
      { withinMs: 5_000 },
    );
    assert.equal(envoys[1]?.upstream.context.signal.aborted, false);
    assert.equal(xds.proxy.state.current.kind, "connected");
  });

  test("ends the upstream's stream when Envoy goes away", async () => {
    await using discovery = await TestDiscoveryServer.listen();
    await using xds = await xdsFixture({ address: discovery.address });
    const { stream, inbox } = xds.envoy(delta);
    stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
    const upstream = await discovery.stream(0);
    upstream.stream.enqueue(delta.response({ typeUrl: typeUrl.cluster, nonce: "1" }));
    await inbox.next();
    stream.cancel();
    await eventually("the upstream's end", () => assert.ok(upstream.context.signal.aborted), {
      withinMs: 5_000,
    });
    await xds.becomes("idle");
    assert.match(
      await xds.metrics.render(),
      /istio_agent_envoy_connection_terminations\{type="cancelled"\} 1\n/,
    );
  });

  test("ends Envoy's stream when the upstream does, without a fuss", async () => {
    await using discovery = await TestDiscoveryServer.listen();
    await using xds = await xdsFixture({ address: discovery.address });
    const { stream, inbox } = xds.envoy(delta);
    stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
    const upstream = await discovery.stream(0);
    upstream.stream.enqueue(delta.response({ typeUrl: typeUrl.cluster, nonce: "1" }));
    await inbox.next();
    upstream.end();
    await assert.rejects(inbox.next(), /the stream has ended/);
    const { problem } = await xds.becomes("disconnected");
    assert.equal(problem, undefined);
    assert.deepEqual(
      xds.lines.map((line) => line.split("\t", 2).join(" ")),
      ["info connected to the discovery server", "info disconnected from the discovery server"],
    );
    assert.match(
      await xds.metrics.render(),
      /istio_agent_istiod_connection_terminations\{type="graceful"\} 1\n/,
    );
  });

  test("a killed discovery server: one warning however often Envoy tries, and on again with the next", async () => {
    const [port = 0] = await freePorts(1);
    const discovery = await TestDiscoveryServer.listen({ port });
    await using xds = await xdsFixture({ address: `127.0.0.1:${port}` });
    const before = xds.envoy(delta);
    before.stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
    const upstream = await discovery.stream(0);
    upstream.stream.enqueue(delta.response({ typeUrl: typeUrl.cluster, nonce: "1" }));
    await before.inbox.next();
    await discovery[Symbol.asyncDispose]();
    await assert.rejects(before.inbox.next());

    for (let attempt = 0; attempt < 3; attempt += 1) {
      const { stream, inbox } = xds.envoy(delta);
      stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
      await assert.rejects(inbox.next(), {
        code: "UNAVAILABLE",
        details: /cannot be reached: connect ECONNREFUSED/,
      });
    }
    const { problem = "" } = await xds.becomes("disconnected");
    assert.match(problem, /ECONNREFUSED 127\.0\.0\.1:\d+\. Check discoveryAddress/);
    assert.equal(xds.lines.filter((line) => line.startsWith("warn")).length, 1);
    assert.match(await xds.metrics.render(), /istio_agent_istiod_connection_failures 3\n/);

    await using again = await TestDiscoveryServer.listen({ port });
    const { stream, inbox } = xds.envoy(delta);
    stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
    const response = delta.response({ typeUrl: typeUrl.cluster, nonce: "1" });
    (await again.stream(0)).stream.enqueue(response);
    assert.deepEqual(await inbox.next(), response);
    assert.equal((await xds.becomes("connected")).problem, undefined);
  });

  test("names the root file that is missing or wrong, and reads it again", async () => {
    using folder = temporaryFolder();
    const pki = await TestPki.create();
    const { certificatePem, privateKeyPem } = await pki.serverKeyPair(
      ["127.0.0.1"],
      validity(-60_000, 3_600_000),
    );
    await using discovery = await TestDiscoveryServer.listen({
      tls: { certificateChain: certificatePem, privateKey: privateKeyPem },
    });
    const rootCertificatePath = join(folder.path, "root-cert.pem");
    await using xds = await xdsFixture({
      address: discovery.address,
      tls: { rootCertificatePath, serverName: undefined },
    });
    const attempt = async (): Promise<Buffer> => {
      const { stream, inbox } = xds.envoy(delta);
      stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
      return inbox.next();
    };

    await assert.rejects(attempt(), {
      code: "UNAVAILABLE",
      details: /root-cert\.pem cannot be read.*XDS_ROOT_CA/,
    });
    writeFileSync(rootCertificatePath, (await TestPki.create()).rootPem);
    await assert.rejects(attempt(), {
      code: "UNAVAILABLE",
      details: /not trusted by the root .*root-cert\.pem/,
    });
    rmSync(rootCertificatePath);
    writeFileSync(rootCertificatePath, pki.rootPem);
    const response = attempt();
    (await discovery.stream(0)).stream.enqueue(delta.response({ typeUrl: typeUrl.cluster, nonce: "1" }));
    await response;
    assert.equal(xds.proxy.state.current.kind, "connected");
  });

  test("says that the token is not accepted", async () => {
    await using discovery = await TestDiscoveryServer.listen();
    await using xds = await xdsFixture({ address: discovery.address }, "stale");
    const { stream, inbox } = xds.envoy(delta);
    stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
    (await discovery.stream(0)).end(new GrpcError("UNAUTHENTICATED", "audience is wrong"));
    await assert.rejects(inbox.next(), {
      code: "UNAUTHENTICATED",
      details: /does not accept the token: audience is wrong\. Check its audience/,
    });
  });

  test("closes with streams open", async () => {
    await using discovery = await TestDiscoveryServer.listen();
    const xds = await xdsFixture({ address: discovery.address });
    const { stream, inbox } = xds.envoy(delta);
    stream.enqueue(delta.request({ typeUrl: typeUrl.cluster }));
    await discovery.stream(0);
    await xds[Symbol.asyncDispose]();
    await assert.rejects(inbox.next());
  });
});
