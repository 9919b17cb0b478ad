/**
 * A specification as the objects of a cluster, in the order in which they are applied. Pure.
 */
import { stringify } from "yaml";
import type { JsonObject } from "../../../controlplane/config/json-value.ts";
import { kindRow, kindRows } from "../cluster/kinds.ts";
import { defaultRevision, type GatewaySpec, type InstallSpec, systemNamespace } from "../spec/schema.ts";
import { operatorDocument } from "../spec/profiles.ts";
import { renderControlPlane } from "./control-plane.ts";
import { renderDefinitions } from "./definitions.ts";
import { renderGateway } from "./gateway.ts";
import { type Component, labelled } from "./labels.ts";
import type { Manifests } from "./manifests.ts";
import { installedStateKey, installedStateName, revisioned } from "./names.ts";

/** Which installation. */
export interface Installation {
  readonly name: string;
  readonly spec: InstallSpec;
  /** What it has beside the profile: an upgrade begins with that. */
  readonly given: JsonObject;
  readonly release: string;
}

/** @throws ManifestError for a release whose manifests are not what they have to be */
export function render(
  { name, spec, given, release }: Installation,
  manifests: Manifests,
): readonly JsonObject[] {
  const { components = {}, revision = defaultRevision } = spec;
  const owned = (objects: readonly JsonObject[], component: Component): readonly JsonObject[] =>
    objects.map((object) =>
      labelled(object, {
        name,
        component,
        ...(component === "Base" ? {} : { revision }),
        release,
      }),
    );
  const gateways = (list: readonly GatewaySpec[] = []): readonly JsonObject[] =>
    list
      .filter(({ enabled }) => enabled === true)
      .flatMap((gateway) => renderGateway(gateway, spec, manifests));
  const own = [
    ...owned(components.pilot?.enabled === true ? renderControlPlane(spec, manifests) : [], "Pilot"),
    ...owned(gateways(components.ingressGateways), "IngressGateways"),
    ...owned(gateways(components.egressGateways), "EgressGateways"),
  ];
  if (components.pilot?.enabled === true) own.push(...owned([installedState(given, revision)], "Pilot"));
  const namespaces = namespacesOf(own, components.base?.enabled === true);
  const base = components.base?.enabled === true ? renderDefinitions() : [];
  const all = [...owned([...namespaces, ...base], "Base"), ...own];
  const order = ({ kind }: JsonObject): number => kindRows.indexOf(kindRow(kind));
  return all.toSorted((a, b) => order(a) - order(b));
}

/** What an upgrade begins with, in the name that Istio's installer has for it. */
function installedState(given: JsonObject, revision: string): JsonObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: revisioned(installedStateName, revision), namespace: systemNamespace },
    data: { [installedStateKey]: stringify(operatorDocument(given)) },
  };
}

/** Of every object, and of what the control plane keeps of its own. */
function namespacesOf(objects: readonly JsonObject[], hasBase: boolean): readonly JsonObject[] {
  const names = new Set([
    ...(hasBase || objects.length > 0 ? [systemNamespace] : []),
    ...objects.flatMap(({ metadata }) => {
      const namespace = (metadata as JsonObject)["namespace"];
      return typeof namespace === "string" ? [namespace] : [];
    }),
  ]);
  return [...names].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } }));
}
