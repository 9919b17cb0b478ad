/** What holds for any set of valid objects: names and domains are there once, and what is referred to is there. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeParts } from "../../../../src/controlplane/networking/encode-parts.ts";
import { pushedTypes, resourcesOf } from "../../../../src/controlplane/networking/pushed-types.ts";
import { viewOf } from "../../../../src/controlplane/networking/view.ts";
import type { ClusterJson } from "../../../../src/proto/envoy/envoy/config/cluster/v3/cluster_pb.js";
import type { ListenerJson } from "../../../../src/proto/envoy/envoy/config/listener/v3/listener_pb.js";
import type { RouteConfigurationJson } from "../../../../src/proto/envoy/envoy/config/route/v3/route_pb.js";
import { canonicalAddress, canonicalRange } from "../../../../src/net/canonical-address.ts";
import { randomMesh } from "../../../support/random-mesh.ts";

const meshes = 100;

function assertUnique(what: string, values: readonly string[]): void {
  assert.deepEqual(
    values.filter((value, index) => values.indexOf(value) < index),
    [],
    `${what} are there twice`,
  );
}

/** Each place of a chain: a name and a range. */
function places({ filterChains = [] }: ListenerJson): readonly string[] {
  return filterChains.flatMap(({ filterChainMatch = {} }) => {
    const {
      prefixRanges = [{}],
      serverNames = [""],
      applicationProtocols = [""],
      ...rest
    } = filterChainMatch;
    return prefixRanges.flatMap((range: { addressPrefix?: string; prefixLen?: number | null }) => {
      const { addressPrefix, prefixLen } = range;
      const where = addressPrefix === undefined ? "" : canonicalRange(`${addressPrefix}/${prefixLen ?? 0}`);
      return serverNames.flatMap((name) =>
        applicationProtocols.map((protocol) => JSON.stringify([where, name.toLowerCase(), protocol, rest])),
      );
    });
  });
}

/** Where a listener is, at every one of its addresses. */
function addressesOf({ address, additionalAddresses = [] }: ListenerJson): readonly string[] {
  return [address, ...additionalAddresses.map((additional) => additional.address)].map((at) => {
    const { address: host = "", portValue } = at?.socketAddress ?? {};
    return `${canonicalAddress(host)}_${portValue ?? 0}`;
  });
}

/** Values of every field of this name, however deep. */
function valuesOf(field: string, value: unknown): readonly unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [
    ...(key === field ? [inner] : []),
    ...valuesOf(field, inner),
  ]);
}

test(`${meshes} made meshes give unique names and domains, and nothing that refers to nothing`, () => {
  for (let seed = 1; seed <= meshes; seed += 1) {
    const { model, proxies } = randomMesh(seed);
    for (const proxy of proxies) {
      const view = viewOf(model, proxy);
      const at = `of seed ${seed} for ${proxy.id}, ${proxy.interceptionMode}`;
      const [clusters, endpoints, listeners, routes] = (
        ["cluster", "endpoint", "listener", "route"] as const
      ).map((kind) => {
        const resources = resourcesOf(pushedTypes[kind], view);
        assertUnique(
          `${kind}s ${at}`,
          resources.map(({ name }) => name),
        );
        for (const { name, json } of resources)
          assert.deepEqual(encodeParts(pushedTypes[kind], name, json).faults, [], at);
        return resources;
      });
      const names = new Set(clusters?.map(({ name }) => name));
      const assigned = new Set(endpoints?.map(({ name }) => name));
      const configured = new Set(routes?.map(({ name }) => name));
      for (const { json } of clusters ?? []) {
        const { type, edsClusterConfig } = json as ClusterJson;
        if (type === "EDS") assert.ok(assigned.has(edsClusterConfig?.serviceName ?? ""), at);
      }
      assertUnique(
        `addresses of listeners ${at}`,
        (listeners ?? []).flatMap(({ json }) => addressesOf(json)),
      );
      for (const { name, json } of listeners ?? []) {
        assertUnique(`chains of ${name} ${at}`, places(json));
        for (const route of valuesOf("routeConfigName", json))
          assert.ok(configured.has(String(route)), `${String(route)} ${at}`);
      }
      for (const { name, json } of routes ?? []) {
        const { virtualHosts = [] } = json as RouteConfigurationJson;
        const hosts = virtualHosts.map((host) => (host.name ?? "").toLowerCase());
        assertUnique(`hosts of ${name} ${at}`, hosts);
        const domains = virtualHosts.flatMap((host) => host.domains ?? []);
        assertUnique(
          `domains of ${name} ${at}`,
          domains.map((domain) => domain.toLowerCase()),
        );
        for (const { routes: ofHost = [] } of virtualHosts)
          for (const { name: route, route: action } of ofHost)
            if (route === "default")
              assert.ok(names.has(action?.cluster ?? ""), `${action?.cluster ?? ""} ${at}`);
      }
    }
  }
});
