import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { stringify } from "yaml";
import type { ConfigObject } from "../../../src/controlplane/config/objects.ts";
import { parseDocuments } from "../../../src/controlplane/config/parse-documents.ts";
import { peerDecision, portsOf } from "../../../src/ctl/describe/mutual-tls.ts";
import { describePod, podLines } from "../../../src/ctl/describe/pod.ts";
import { enforcedPolicies } from "../../../src/ctl/describe/policies.ts";
import { describeService, serviceLines } from "../../../src/ctl/describe/service.ts";
import { goldenText } from "../../support/golden.ts";
import { translatedDump } from "../../support/translated-dump.ts";

function peer(name: string, namespace: string, spec: object, createdAt: string): object {
  return {
    ...{ apiVersion: "security.istio.io/v1", kind: "PeerAuthentication" },
    metadata: { name, namespace, creationTimestamp: createdAt },
    spec,
  };
}

function parsed(...documents: readonly object[]): readonly ConfigObject[] {
  const { objects, problems } = parseDocuments(
    "mesh.yaml",
    documents.map((one) => stringify(one)).join("---\n"),
  );
  assert.deepEqual(problems, []);
  return objects;
}

const policies = parsed(
  peer("mesh", "istio-system", { mtls: { mode: "STRICT" } }, "2026-01-01T00:00:00Z"),
  peer("all", "demo", { mtls: { mode: "PERMISSIVE" } }, "2026-01-02T00:00:00Z"),
  peer(
    "api",
    "demo",
    { selector: { matchLabels: { app: "api" } }, portLevelMtls: { "8080": { mode: "DISABLE" } } },
    "2026-01-03T00:00:00Z",
  ),
  peer(
    "late",
    "demo",
    { selector: { matchLabels: { app: "api" } }, mtls: { mode: "STRICT" } },
    "2026-01-04T00:00:00Z",
  ),
);

describe("the policy that decides about mutual TLS", () => {
  for (const [port, labels, namespace, expected] of [
    [8080, { app: "api" }, "demo", ["api", "all", "mesh"]],
    // The workload's oldest policy says nothing of this port, and no other one of its own counts.
    [9090, { app: "api" }, "demo", ["all", "mesh"]],
    [8080, { app: "web" }, "demo", ["all", "mesh"]],
    [8080, { app: "api" }, "shop", ["mesh"]],
    [8080, { app: "api" }, "istio-system", ["mesh"]],
  ] as const) {
    test(`of port ${port} of ${labels.app} in ${namespace} is ${expected.join(", over ")}`, () => {
      const { by, overrides } = peerDecision(policies, { namespace, labels }, port, "istio-system");
      assert.deepEqual(
        [by, ...overrides].map((policy) => policy?.name),
        expected,
      );
    });
  }
});

test("what a port takes is read off its chains", () => {
  const modes = (behaviour: string): readonly unknown[] => portsOf(translatedDump(behaviour));
  assert.deepEqual(modes("bookshop-reviews"), [{ port: 9080, mode: "STRICT" }]);
});

test("policies are counted once, however many chains have them", () => {
  assert.deepEqual(enforcedPolicies(translatedDump("bookshop-reviews")), [
    { action: "ALLOW", policy: "allow-nothing.shop", rules: 1 },
    { action: "ALLOW", policy: "reviews-viewer.shop", rules: 1 },
  ]);
  assert.deepEqual(enforcedPolicies(translatedDump("authorization-allow-nothing")), [
    { action: "ALLOW", policy: "allow-nothing.demo", rules: 1 },
  ]);
});

test("a pod and a service are told with the place of each rule", (t) => {
  const objects = [
    ...policies,
    ...parsed(
      {
        ...{ apiVersion: "networking.istio.io/v1", kind: "ServiceEntry" },
        metadata: { name: "api", namespace: "demo" },
        spec: {
          ...{ hosts: ["api.demo.svc.cluster.local"], resolution: "STATIC", location: "MESH_INTERNAL" },
          ports: [{ number: 80, name: "http", protocol: "HTTP" }],
          endpoints: [{ address: "10.0.0.1" }],
        },
      },
      {
        ...{ apiVersion: "networking.istio.io/v1", kind: "DestinationRule" },
        metadata: { name: "api", namespace: "demo" },
        spec: { host: "api", subsets: [{ name: "v1", labels: { version: "v1" } }] },
      },
    ),
  ];
  const bootstrap = { node: { metadata: { NAMESPACE: "demo", LABELS: { app: "api" } } } };
  const dump = { ...translatedDump("bookshop-reviews"), bootstrap };
  const service = describeService(objects, "api.demo.svc.cluster.local");
  assert.ok(service !== undefined);
  const lines = [...podLines(describePod("api-1.demo", dump, objects)), "", ...serviceLines(service)];
  goldenText(t, "ctl/describe.txt", `${lines.join("\n")}\n`);
});

test("a service is described with the routes of the Gateway API that calls to it take", () => {
  const object = (apiVersion: string, kind: string, name: string, spec: object): object => ({
    ...{ apiVersion, kind, metadata: { name, namespace: "demo" } },
    spec,
  });
  const route = (name: string, parent: string, ...paths: readonly string[]): object =>
    object("gateway.networking.k8s.io/v1", "HTTPRoute", name, {
      parentRefs: [{ group: "", kind: "Service", name: parent }],
      rules: [
        { matches: paths.map((value) => ({ path: { value } })), backendRefs: [{ name: "api", port: 80 }] },
      ],
    });
  const objects = parsed(
    ...["api", "web"].map((name) =>
      object("networking.istio.io/v1", "ServiceEntry", name, {
        hosts: [`${name}.demo.svc.cluster.local`],
        ports: [{ number: 80, name: "http", protocol: "HTTP" }],
      }),
    ),
    route("of-api", "api", "/a", "/b"),
    route("of-web", "web", "/c"),
  );
  assert.deepEqual(
    describeService(objects, "api.demo.svc.cluster.local")?.rules.map(({ object: rule, says }) => [
      rule,
      says,
    ]),
    [["HTTPRoute demo/of-api", "2 routes of requests"]],
  );
});

test("mutual TLS that no known policy asks for is only called the default where it is", () => {
  const described = { name: "api-1.demo", identity: "", labels: {}, policies: [] };
  const line = (mode: "STRICT" | "PERMISSIVE"): string | undefined =>
    podLines({ ...described, ports: [{ port: 80, mode, overrides: [] }] }).find((text) =>
      text.startsWith("Port"),
    );
  assert.equal(
    line("PERMISSIVE"),
    "Port 80: mutual TLS PERMISSIVE, by no PeerAuthentication: it is the default",
  );
  assert.equal(line("STRICT"), "Port 80: mutual TLS STRICT, by no PeerAuthentication of these files");
});
