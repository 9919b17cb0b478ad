/**
 * What is followed of a cluster.
 */
import { apiVersionsOf, kinds, writtenKind } from "../../config/schema.ts";
import type { ApiObject } from "../../kubernetes/api.ts";
import { mappingOf, pluralOf, type Resource } from "../../kubernetes/resource.ts";
import {
  type ClusterNode,
  type ClusterPod,
  type ClusterService,
  type ClusterSlice,
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

/** One of Istio's objects, or a Secret, as it was written. */
export interface Written {
  readonly kind: string;
  readonly object: ApiObject;
}

/** Secrets that hold neither certificates nor credentials of images, by what Kubernetes and Helm call them. */
const otherSecrets = [
  "helm.sh/release.v1",
  "kubernetes.io/service-account-token",
  "kubernetes.io/dockercfg",
  "bootstrap.kubernetes.io/token",
  // The control plane's own.
  "istio.io/ca-root",
];

/** Every kind that files may hold, as far as the cluster has it. */
export const writtenResources: readonly Resource<Written>[] = (
  Object.keys(kinds) as (keyof typeof kinds)[]
).map((kind): Resource<Written> => {
  const { group, versions } = kinds[kind];
  const [apiVersion = "v1"] = apiVersionsOf(kind);
  const written = writtenKind(kind);
  const resource = { plural: pluralOf(written), group, versions, keep: keepAs(written, apiVersion) };
  if (group !== "") return { ...resource, isOptional: true };
  if (kind !== "Secret") return resource;
  const fieldSelector = otherSecrets.map((type) => `type!=${type}`).join(",");
  return { ...resource, fieldSelector, mayBeRefused: true };
});

/** Without what only the server needs; its status is ours, and says nothing of what is wanted. */
function keepAs(kind: string, apiVersion: string): Resource<Written>["keep"] {
  return (object, { annotations }) => {
    const { managedFields: _fields, ...metadata } = mappingOf(object["metadata"]);
    const { "kubectl.kubernetes.io/last-applied-configuration": _applied, ...kept } = annotations;
    const { status: _status, ...whole } = object;
    // Of a namespace what it is to have last is the server's own.
    const { spec: _spec, ...bare } = whole;
    const rest = kind === "Namespace" ? bare : whole;
    const changing = ["resourceVersion", "uid", "selfLink"];
    const lasting = Object.fromEntries(Object.entries(metadata).filter(([name]) => !changing.includes(name)));
    // A list names neither in its items.
    return {
      kind,
      object: { ...rest, apiVersion, kind, metadata: { ...lasting, annotations: kept } },
    };
  };
}
