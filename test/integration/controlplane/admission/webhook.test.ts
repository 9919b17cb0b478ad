/** Whoever reaches the webhook's port costs the control plane little, and the API server is answered all the same. */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { ClientRequest, IncomingMessage } from "node:http";
import { request } from "node:https";
import { describe, test } from "node:test";
import { applyPatch, type Operation } from "rfc6902";
import { AdmissionWebhook } from "../../../../src/controlplane/admission/webhook.ts";
import { eventually } from "../../../support/eventually.ts";
import { TestPki, validity } from "../../../support/test-pki.ts";
import { settingsOf } from "../../../support/injection.ts";
import { testLog } from "../../../support/test-log.ts";

const withinMs = 20_000;

interface Running extends AsyncDisposable {
  readonly post: (headers?: Readonly<Record<string, string>>, path?: string) => ClientRequest;
  readonly answered: (
    body: string,
    path?: string,
  ) => Promise<{ readonly status: number | undefined; readonly body: string }>;
}

async function start(): Promise<Running> {
  const pki = await TestPki.create();
  const pair = await pki.serverKeyPair(["localhost"], validity(-60_000, 3_600_000));
  const webhook = await AdmissionWebhook.listen(
    {
      host: "127.0.0.1",
      port: 0,
      tls: { certificateChain: pair.certificatePem, privateKey: pair.privateKeyPem },
      injection: () => ({ settings: settingsOf(), hasNativeSidecars: false, count: () => undefined }),
    },
    testLog().log,
  );
  const post: Running["post"] = (headers = {}, path = "/validate") =>
    request({
      ...{ host: "127.0.0.1", port: webhook.port, path, method: "POST" },
      ...{ servername: "localhost", ca: pki.rootPem, agent: false, headers },
    });
  return {
    post,
    answered: async (body, path) => {
      const asked = post({}, path);
      const answer = once(asked, "response");
      asked.end(body);
      const [response] = (await answer) as [IncomingMessage];
      return { status: response.statusCode, body: (await response.toArray()).join("") };
    },
    [Symbol.asyncDispose]: () => webhook[Symbol.asyncDispose](),
  };
}

const review = (http: readonly object[]): string =>
  JSON.stringify({
    request: {
      uid: "u1",
      object: {
        apiVersion: "networking.istio.io/v1",
        kind: "VirtualService",
        metadata: { name: "web", namespace: "demo" },
        spec: { hosts: ["web"], http },
      },
    },
  });

describe("the webhook", () => {
  test("answers a review of many mistakes with a few of them, and none of more parts than an object has", async () => {
    await using webhook = await start();
    const refused = await webhook.answered(review(Array.from({ length: 10_000 }, () => ({ x: 1 }))));
    assert.equal(refused.status, 200);
    assert.match(refused.body, /"allowed":false/);
    assert.ok(refused.body.length < 10_000, `${refused.body.length} characters`);
    assert.equal(
      (await webhook.answered(review(Array.from({ length: 100_000 }, () => ({ x: 1 }))))).status,
      400,
    );
  });

  test("reads no body beyond what two objects have", async () => {
    await using webhook = await start();
    const asked = webhook.post({ "content-length": `${4 * 2 ** 20}` });
    const answer = once(asked, "response");
    asked.flushHeaders();
    const [response] = (await answer) as [IncomingMessage];
    assert.equal(response.statusCode, 413);
    asked.destroy();
  });

  test("ends the oldest of many bodies that do not come to an end", async () => {
    await using webhook = await start();
    const ended: number[] = [];
    const slow = Array.from({ length: 40 }, (_, index) => {
      const asked = webhook.post({ "content-length": "1000" });
      asked.on("error", () => ended.push(index));
      asked.write("{");
      return asked;
    });
    await eventually("an end of most", () => assert.ok(ended.length >= 24, `${ended.length}`), { withinMs });
    const route = { route: [{ destination: { host: "web" } }] };
    assert.match((await webhook.answered(review([route]))).body, /"allowed":true/);
    for (const asked of slow) asked.destroy();
  });

  test("answers with the patch that makes the pod one with its sidecar", async () => {
    await using webhook = await start();
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { generateName: "web-", managedFields: [{ manager: "x" }] },
      spec: { containers: [{ name: "web", image: "web" }] },
    };
    const asked = JSON.stringify({ request: { uid: "u1", namespace: "demo", object: pod } });
    const { status, body } = await webhook.answered(asked, "/inject/cluster/east/net/east-1");
    assert.equal(status, 200);
    const { response } = JSON.parse(body) as {
      readonly response: { readonly uid: string; readonly patchType: string; readonly patch: string };
    };
    assert.deepEqual([response.uid, response.patchType], ["u1", "JSONPatch"]);
    const patched = structuredClone(pod) as Omit<typeof pod, "spec"> & {
      readonly spec: {
        readonly containers: readonly {
          readonly name: string;
          readonly env?: readonly { readonly name: string; readonly value?: string }[];
        }[];
      };
    };
    applyPatch(patched, JSON.parse(Buffer.from(response.patch, "base64").toString("utf8")) as Operation[]);
    const proxy = patched.spec.containers.find(({ name }) => name === "istio-proxy");
    const valueOf = (variable: string) => proxy?.env?.find(({ name }) => name === variable)?.value;
    assert.equal(valueOf("ISTIO_META_CLUSTER_ID"), "east");
    assert.equal(valueOf("ISTIO_META_NETWORK"), "east-1");
    assert.deepEqual(patched.metadata.managedFields, pod.metadata.managedFields);
    for (const path of ["/inject/cluster", "/inject/other/x", "/inject/cluster/%", "/injection"])
      assert.equal((await webhook.answered(asked, path)).status, 404, path);
    assert.equal((await webhook.answered("{}", "/inject")).status, 400);
  });
});
