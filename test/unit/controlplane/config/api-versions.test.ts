/** Every version that the definitions (CustomResourceDefinition) of Istio and of the Gateway API serve is taken, and no other. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDocuments } from "../../../../src/controlplane/config/parse-documents.ts";
import { apiVersionsOf, kinds } from "../../../../src/controlplane/config/schema.ts";
import type { Kinds } from "../../../../src/controlplane/config/objects.ts";
import { writtenResources } from "../../../../src/controlplane/registry/kubernetes/resources.ts";
import { objectWith } from "../../../support/istio-objects.ts";

const [networking, security, gatewayApi] = [
  "networking.istio.io",
  "security.istio.io",
  "gateway.networking.k8s.io",
];

/** As Istio 1.31 and the Gateway API 1.6 have them, and the versions of older releases that are still installed. */
const rows: Readonly<Record<keyof Kinds, readonly [group: string, ...versions: string[]]>> = {
  ServiceEntry: [networking, "v1", "v1beta1", "v1alpha3"],
  WorkloadEntry: [networking, "v1", "v1beta1", "v1alpha3"],
  WorkloadGroup: [networking, "v1", "v1beta1", "v1alpha3"],
  VirtualService: [networking, "v1", "v1beta1", "v1alpha3"],
  DestinationRule: [networking, "v1", "v1beta1", "v1alpha3"],
  Sidecar: [networking, "v1", "v1beta1", "v1alpha3"],
  Gateway: [networking, "v1", "v1beta1", "v1alpha3"],
  EnvoyFilter: [networking, "v1alpha3"],
  PeerAuthentication: [security, "v1", "v1beta1"],
  AuthorizationPolicy: [security, "v1", "v1beta1"],
  RequestAuthentication: [security, "v1", "v1beta1"],
  Telemetry: ["telemetry.istio.io", "v1", "v1alpha1"],
  ProxyConfig: [networking, "v1beta1"],
  WasmPlugin: ["extensions.istio.io", "v1alpha1"],
  TrafficExtension: ["extensions.istio.io", "v1alpha1"],
  KubernetesGateway: [gatewayApi, "v1", "v1beta1"],
  GatewayClass: [gatewayApi, "v1", "v1beta1"],
  HTTPRoute: [gatewayApi, "v1", "v1beta1"],
  GRPCRoute: [gatewayApi, "v1", "v1alpha2"],
  TLSRoute: [gatewayApi, "v1", "v1alpha3", "v1alpha2"],
  TCPRoute: [gatewayApi, "v1", "v1alpha2"],
  ReferenceGrant: [gatewayApi, "v1", "v1beta1"],
  Secret: ["", "v1"],
  Namespace: ["", "v1"],
};

/** Kinds that this control plane does not act on. */
const others: readonly (readonly [kind: string, group: string, ...versions: string[]])[] = [
  ["BackendTLSPolicy", gatewayApi, "v1", "v1alpha3"],
  ["ListenerSet", gatewayApi, "v1"],
  ["UDPRoute", gatewayApi, "v1", "v1alpha2"],
];

const everyVersion = ["v1", "v1beta1", "v1alpha1", "v1alpha2", "v1alpha3", "v2"];

describe("the apiVersion of objects", () => {
  for (const kind of Object.keys(kinds) as (keyof Kinds)[])
    test(`of a ${kind} is one that it is served in`, () => {
      const [group, ...versions] = rows[kind];
      const full = (version: string): string => (group === "" ? version : `${group}/${version}`);
      assert.deepEqual(apiVersionsOf(kind), versions.map(full));
      const taken = everyVersion.filter((version) => {
        const object = { ...objectWith(kind, "metadata.name", "api"), apiVersion: full(version) };
        return parseDocuments("a.yaml", JSON.stringify(object)).objects.length > 0;
      });
      assert.deepEqual(
        taken,
        everyVersion.filter((version) => versions.includes(version)),
      );
    });

  test("decides what is watched in a cluster", () => {
    const watched = writtenResources.map(({ group, versions }) => [group, ...versions]);
    assert.deepEqual(
      watched,
      (Object.keys(kinds) as (keyof Kinds)[]).map((kind) => rows[kind]),
    );
  });

  test("of a kind that has no effect is told with it", () => {
    for (const [kind, group, ...versions] of others)
      for (const version of versions) {
        const text = JSON.stringify({ apiVersion: `${group}/${version}`, kind, metadata: { name: "a" } });
        const { problems, refused } = parseDocuments("a.yaml", text);
        assert.deepEqual([problems.map(({ severity }) => severity), refused], [["warning"], []], kind);
      }
  });
});
