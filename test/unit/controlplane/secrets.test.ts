/** Secrets of a folder: what is wrong with one, who gets which, and that nobody else does. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { before, describe, test } from "node:test";
import { stringify } from "yaml";
import { analyze } from "../../../src/controlplane/config/analysis/analyze.ts";
import type { ConfigObject } from "../../../src/controlplane/config/objects.ts";
import { parseDocuments } from "../../../src/controlplane/config/parse-documents.ts";
import { describeConfigProblem } from "../../../src/controlplane/config/problem.ts";
import type { ApiObject } from "../../../src/controlplane/kubernetes/api.ts";
import { buildModel } from "../../../src/controlplane/model/build-model.ts";
import { parseProxy } from "../../../src/controlplane/model/proxy.ts";
import {
  pushedTypes,
  type PushedType,
  resourcesOf,
} from "../../../src/controlplane/networking/pushed-types.ts";
import { viewOf } from "../../../src/controlplane/networking/view.ts";
import { ClusterReader } from "../../../src/controlplane/registry/kubernetes/cluster-config.ts";
import type { ClusterPod } from "../../../src/controlplane/registry/kubernetes/cluster-objects.ts";
import type { SecretJson } from "../../../src/proto/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { type IssuedKeyPair, TestPki, validity } from "../../support/test-pki.ts";

let pki: TestPki;
let pair: IssuedKeyPair;
let other: IssuedKeyPair;

before(async () => {
  pki = await TestPki.create();
  const valid = validity(-60_000, 3_600_000);
  pair = await pki.serverKeyPair(["shop.example.com"], valid);
  other = await pki.serverKeyPair(["shop.example.com"], valid);
});

const secretOf = (name: string, stringData: object, namespace = "demo"): object => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, namespace },
  type: "kubernetes.io/tls",
  stringData,
});

const inData = (secret: object): object => {
  const { stringData, ...rest } = secret as { stringData: Record<string, string> };
  const entries = Object.entries(stringData).map(([name, text]) => [
    name,
    Buffer.from(text).toString("base64"),
  ]);
  return { ...rest, data: Object.fromEntries(entries) as object };
};

const tls = ({ certificatePem, privateKeyPem }: IssuedKeyPair): object => ({
  "tls.crt": certificatePem,
  "tls.key": privateKeyPem,
});

const parsed = (...objects: readonly object[]): ReturnType<typeof parseDocuments> =>
  parseDocuments("a.yaml", objects.map((object) => stringify(object)).join("---\n"));

describe("a Secret", () => {
  test("with what Envoy would refuse is refused, and no word of it is told", () => {
    const weak = generateKeyPairSync("rsa", { modulusLength: 1_024 });
    const weakPem = weak.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const rows: readonly (readonly [stringData: object, ...problems: readonly string[]])[] = [
      [tls(pair)],
      [{ cert: pair.certificatePem, key: pair.privateKeyPem, cacert: pki.rootPem }],
      [{ "tls.crt": pair.certificatePem }, "needs both tls.crt and tls.key, or neither"],
      [
        { ...tls(pair), "tls.key": other.privateKeyPem },
        "has a key (tls.key) that is not that of the certificate (tls.crt)",
      ],
      [
        { ...tls(pair), "tls.key": weakPem },
        "has a key (tls.key) that is an RSA key of 1024 bits: it needs 2048 bits at least",
      ],
      [{ ...tls(pair), "tls.key": "a" }, "has a key (tls.key) that is none in PEM, or one with a password"],
      [{ ...tls(pair), "tls.crt": "a" }, "has a certificate (tls.crt) that is none in PEM"],
      [{ "ca.crt": pair.privateKeyPem }, "has a root (ca.crt) that is no certificate in PEM"],
    ];
    for (const [stringData, ...problems] of rows)
      for (const secret of [secretOf("shop", stringData), inData(secretOf("shop", stringData))])
        assert.deepEqual(
          parsed(secret).problems.map(({ path, message }) => `${path}: ${message}`),
          problems.map((problem) => `data: ${problem}`),
        );
  });

  test("without certificates is nobody's here", () => {
    const { objects, problems } = parsed(secretOf("token", { token: "hush" }));
    assert.deepEqual(objects, []);
    assert.deepEqual(problems.map(describeConfigProblem), [
      "a.yaml:2: kind: objects that are not Istio's are passed over: Secret",
    ]);
  });
});

describe("certificates of Secrets", () => {
  const server = (number: number, more: object): object => ({
    port: { number, name: `p${number}`, protocol: "HTTPS" },
    hosts: ["*"],
    tls: { mode: "SIMPLE", ...more },
  });
  const gateway = {
    apiVersion: "networking.istio.io/v1",
    kind: "Gateway",
    metadata: { name: "shop", namespace: "demo" },
    spec: {
      selector: { app: "ingress" },
      servers: [
        server(443, { credentialName: "shop" }),
        server(444, { mode: "MUTUAL", credentialName: "api" }),
        server(445, { mode: "MUTUAL", credentialName: "web" }),
        server(446, { mode: "PASSTHROUGH", credentialName: "passed" }),
        server(447, { credentialName: "elsewhere" }),
        server(448, { mode: "AUTO_PASSTHROUGH", credentialName: "passed" }),
        server(449, { mode: undefined, credentialName: "passed" }),
      ],
    },
  };

  const ingress = {
    apiVersion: "networking.istio.io/v1",
    kind: "WorkloadEntry",
    metadata: { name: "ingress", namespace: "demo" },
    spec: { address: "10.0.0.9", labels: { app: "ingress" }, serviceAccount: "ingress" },
  };

  function secretsOf(
    proxy: { readonly id?: string; readonly isProven?: boolean; readonly serviceAccount?: string },
    ...declared: readonly object[]
  ): readonly SecretJson[] {
    return secretsAmong(parsed(...declared, gateway, ...certificates()).objects, proxy);
  }

  function certificates(): readonly object[] {
    return [
      secretOf("shop", tls(pair)),
      secretOf("api", { ...tls(pair), "ca.crt": pki.rootPem }),
      secretOf("web", tls(pair)),
      secretOf("web-cacert", { cacert: pki.rootPem }),
      secretOf("passed", tls(pair)),
      secretOf("unnamed", tls(pair)),
      secretOf("elsewhere", tls(pair), "shop"),
    ];
  }

  function secretsAmong(
    objects: readonly ConfigObject[],
    proxy: { readonly id?: string; readonly isProven?: boolean; readonly serviceAccount?: string },
  ): readonly SecretJson[] {
    const model = buildModel(objects, { trustDomains: ["cluster.local"], rootNamespace: "istio-system" });
    const { id = "router~10.0.0.9~ingress-1.demo~demo.svc.cluster.local", isProven = true } = proxy;
    const { serviceAccount = "ingress" } = proxy;
    const said = parseProxy({ id, metadata: { LABELS: { app: "ingress" } } });
    assert.ok(said !== undefined);
    const resources = resourcesOf(pushedTypes.secret, viewOf(model, { ...said, isProven, serviceAccount }));
    return resources.map(({ json }) => json as SecretJson);
  }

  test("are those that its Gateways name, of its own namespace", () => {
    const secrets = secretsOf({});
    assert.deepEqual(
      secrets.map(({ name }) => name),
      [
        "kubernetes://shop",
        "kubernetes://api",
        "kubernetes://api-cacert",
        "kubernetes://web",
        "kubernetes://web-cacert",
      ],
    );
    const base64 = (pem: string): string => Buffer.from(pem).toString("base64");
    assert.deepEqual(secrets[0]?.tlsCertificate, {
      certificateChain: { inlineBytes: base64(pair.certificatePem) },
      privateKey: { inlineBytes: base64(pair.privateKeyPem) },
    });
    assert.deepEqual(secrets[4]?.validationContext, { trustedCa: { inlineBytes: base64(pki.rootPem) } });
  });

  test("are for nobody who has proven nothing, and for no sidecar", () => {
    assert.deepEqual(secretsOf({ isProven: false }), []);
    assert.deepEqual(secretsOf({ id: "sidecar~10.0.0.9~web-1.demo~demo.svc.cluster.local" }), []);
  });

  test("are for the service account of the gateway where the folder declares it, and for no other that says it is one", () => {
    const batch = { serviceAccount: "batch" };
    assert.equal(secretsOf(batch).length, 5);
    assert.deepEqual(secretsOf(batch, ingress), []);
    assert.equal(secretsOf({}, ingress).length, 5);
    const elsewhere = { ...ingress, metadata: { name: "ingress", namespace: "shop" } };
    assert.equal(secretsOf(batch, elsewhere).length, 5);
  });

  const pod = (serviceAccount: string, more: Partial<ClusterPod> = {}): ClusterPod => ({
    namespace: "demo",
    name: serviceAccount,
    createdAtMs: undefined,
    labels: { app: "ingress" },
    serviceAccount,
    addresses: ["10.0.0.9"],
    node: "",
    proxy: "router",
    isReady: true,
    ...more,
  });
  const pods: readonly (readonly [name: string, count: number, ...pods: readonly ClusterPod[]])[] = [
    ["none, as scaled to none", 0],
    ["one of the gateway", 5, pod("ingress")],
    ["one that is not ready", 5, pod("ingress", { isReady: false })],
    ["one on the network of its node, or without an address yet", 5, pod("ingress", { addresses: [] })],
    ["one whose container is called otherwise", 5, pod("ingress", { proxy: "none" })],
    ["one of another service account", 0, pod("other")],
    ["one of another namespace", 0, pod("ingress", { namespace: "shop" })],
    ["one with other labels", 0, pod("ingress", { labels: { app: "web" } })],
  ];
  for (const [name, count, ...shown] of pods)
    test(`of a cluster are for whose pods it shows: ${name}`, () => {
      const cluster = { services: [], slices: [], pod: () => undefined, node: () => undefined };
      const written = [gateway, ...certificates()].map((object) => ({
        kind: (object as { readonly kind: string }).kind,
        object: object as ApiObject,
      }));
      const { objects } = new ClusterReader("cluster.local").read({
        pods: shown,
        written,
        cluster,
      });
      assert.equal(secretsAmong(objects, {}).length, count);
    });

  test("are missed where a server waits for them, and nowhere else", () => {
    const named = ["shop", "api", "web", "passed", "elsewhere"];
    const missed = (...secrets: readonly object[]): readonly string[] =>
      analyze(parsed(gateway, ...secrets).objects).map(({ message }) =>
        message.replace(/: the server waits.*/, ""),
      );
    const rootless = "has no root for the certificates of clients (ca.crt), nor has";
    assert.deepEqual(
      missed(),
      ["shop", "api", "web", "elsewhere"].map((name) => `${name} is no Secret with certificates`),
    );
    assert.deepEqual(missed(...named.map((name) => secretOf(name, { "ca.crt": pki.rootPem }))), missed());
    assert.deepEqual(missed(...named.map((name) => secretOf(name, tls(pair)))), [
      `api ${rootless} api-cacert`,
      `web ${rootless} web-cacert`,
    ]);
    const rooted = secretOf("api", { ...tls(pair), "ca.crt": pki.rootPem });
    const apart = [secretOf("web", tls(pair)), secretOf("web-cacert", { cacert: pki.rootPem })];
    const others = ["shop", "elsewhere"].map((name) => secretOf(name, tls(pair)));
    assert.deepEqual(missed(rooted, ...apart, ...others), []);
  });

  test("are shown to nobody", () => {
    const type: PushedType = pushedTypes.secret;
    assert.equal(type.decode, undefined);
  });
});
