/**
 * What is followed of a cluster.
 */
import { kinds } from "../../config/schema.ts";
import type { ApiObject } from "../../kubernetes/api.ts";
import { mappingOf, type Resource } from "../../kubernetes/resource.ts";
import {
  type ClusterNamespace,
  type ClusterNode,
  type ClusterPod,
  type ClusterService,
  type ClusterSlice,
  keepNamespace,
  keepNode,
  keepPod,
  keepService,
  keepSlice,
} from "./cluster-objects.ts";

export const services: Resource<ClusterService> = {
  plural: "services",
  group: "",
  versions: ["v1"],
  keep: keepService,
};

export const slices: Resource<ClusterSlice> = {
  plural: "endpointslices",
  group: "discovery.k8s.io",
  versions: ["v1"],
  keep: keepSlice,
};

export const pods: Resource<ClusterPod> = {
  plural: "pods",
  group: "",
  versions: ["v1"],
  fieldSelector: "status.phase!=Failed,status.phase!=Succeeded",
  keep: keepPod,
};

export const nodes: Resource<ClusterNode> = { plural: "nodes", group: "", versions: ["v1"], keep: keepNode };

export const namespaces: Resource<ClusterNamespace> = {
  plural: "namespaces",
  group: "",
  versions: ["v1"],
  keep: keepNamespace,
};

/** One of Istio's objects, or a Secret, as it was written. */
export interface Written {
  readonly kind: string;
  readonly object: ApiObject;
}

/** Secrets that hold no certificates, by what Kubernetes and Helm call them. */
const otherSecrets = [
  "helm.sh/release.v1",
  "kubernetes.io/service-account-token",
  "kubernetes.io/dockerconfigjson",
  "kubernetes.io/dockercfg",
  "bootstrap.kubernetes.io/token",
  // The control plane's own.
  "istio.io/ca-root",
];

/** Versions of Istio's API, the best first. */
const istioVersions = ["v1", "v1beta1", "v1alpha3"];

const plurals: Readonly<Record<string, string>> = {
  ServiceEntry: "serviceentries",
  WorkloadEntry: "workloadentries",
  VirtualService: "virtualservices",
  DestinationRule: "destinationrules",
  Sidecar: "sidecars",
  Gateway: "gateways",
  PeerAuthentication: "peerauthentications",
  AuthorizationPolicy: "authorizationpolicies",
  RequestAuthentication: "requestauthentications",
  EnvoyFilter: "envoyfilters",
  Telemetry: "telemetries",
};

/** Every kind that files may hold, as far as the cluster has it. */
export const writtenResources: readonly Resource<Written>[] = Object.entries(kinds).flatMap(
  ([kind, { group }]): readonly Resource<Written>[] => {
    if (kind === "Secret")
      return [
        {
          plural: "secrets",
          group: "",
          versions: ["v1"],
          fieldSelector: otherSecrets.map((type) => `type!=${type}`).join(","),
          mayBeRefused: true,
          keep: keepAs(kind, "v1"),
        },
      ];
    const plural = plurals[kind] ?? `${kind.toLowerCase()}s`;
    return [{ plural, group, versions: istioVersions, isOptional: true, keep: keepAs(kind, `${group}/v1`) }];
  },
);

/** Without what only the server needs; its status is ours, and says nothing of what is wanted. */
function keepAs(kind: string, apiVersion: string): Resource<Written>["keep"] {
  return (object, { annotations }) => {
    const { managedFields: _fields, ...metadata } = mappingOf(object["metadata"]);
    const { "kubectl.kubernetes.io/last-applied-configuration": _applied, ...kept } = annotations;
    const { status: _status, ...rest } = object;
    const changing = ["resourceVersion", "generation", "uid", "selfLink"];
    const lasting = Object.fromEntries(Object.entries(metadata).filter(([name]) => !changing.includes(name)));
    // A list names neither in its items.
    return {
      kind,
      object: { ...rest, apiVersion, kind, metadata: { ...lasting, annotations: kept } },
    };
  };
}
