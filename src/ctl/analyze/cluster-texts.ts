/**
 * What a cluster has, as texts that an analysis reads like files: one for each object.
 */
import { isMap, stringify } from "yaml";
import { KubernetesError } from "../../controlplane/kubernetes/api-error.ts";
import type { ApiObject, KubernetesApi } from "../../controlplane/kubernetes/api.ts";
import { mappingOf } from "../../controlplane/kubernetes/resource.ts";
import { writtenResources } from "../../controlplane/registry/kubernetes/resources.ts";
import { objectsLimits } from "../../document/limits.ts";
import { readYamlDocuments } from "../../document/yaml.ts";
import { listAt, textAt } from "../../lifecycle/json-path.ts";
import { severalAtOnce } from "../../lifecycle/several-at-once.ts";
import type { KindRow } from "../install/cluster/kinds.ts";
import { listObjects } from "../install/cluster/objects.ts";
import { objectName } from "../install/difference.ts";
import { servedKinds } from "../install/cluster/foreign-objects.ts";
import { hasTellingStatus } from "./checks/conditions.ts";
import { clusterPlace } from "./cluster-place.ts";
import { itemsOf } from "./kubernetes-objects.ts";

/** What was read. */
export interface ClusterTexts {
  /** By what messages call the place: `cluster: VirtualService demo/api`. */
  readonly texts: ReadonlyMap<string, string>;
  /** Kinds that may not be looked at, a line each. */
  readonly unseen: readonly string[];
}

/** Kubernetes' own kinds that the analysis looks at. */
const ofKubernetes: Readonly<Record<string, readonly string[]>> = {
  "": ["pods", "services", "namespaces"],
  apps: ["deployments", "statefulsets", "daemonsets"],
  batch: ["cronjobs"],
  "admissionregistration.k8s.io": ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"],
  "apiextensions.k8s.io": ["customresourcedefinitions"],
};

type ConfigMapRow = KindRow & { readonly namespace: string; readonly name: string };

/** The mesh's settings and those of injection are in ConfigMaps of this namespace; all others say nothing. */
const configMaps: readonly ConfigMapRow[] = ["istio", "istio-sidecar-injector"].map((name) => ({
  kind: "ConfigMap",
  group: "",
  version: "v1",
  plural: "configmaps",
  isNamespaced: true,
  namespace: "istio-system",
  name,
}));

/** Questions that are open at a time. */
const atOnce = 8;

/** @throws KubernetesError where the cluster does not answer, or knows nobody */
export async function clusterTexts(api: KubernetesApi, signal: AbortSignal): Promise<ClusterTexts> {
  const unseen: string[] = [];
  const rows = [...(await servedKinds(api, signal, { isWanted })).filter(isLookedAt), ...configMaps];
  const lists = await severalAtOnce(
    rows,
    atOnce,
    async (row: KindRow | ConfigMapRow): Promise<readonly ApiObject[]> => {
      const query =
        row.plural === "secrets"
          ? {
              fieldSelector: writtenResources.find(({ plural }) => plural === "secrets")?.fieldSelector ?? "",
            }
          : "name" in row
            ? { fieldSelector: `metadata.name=${row.name}` }
            : {};
      try {
        return await listObjects(api, row, query, signal);
      } catch (error) {
        if (!(error instanceof KubernetesError) || error.code !== "FORBIDDEN") throw error;
        unseen.push(`${row.plural} of the cluster may not be looked at: ${error.said}`);
        return [];
      }
    },
  );
  // What has an owner is made of it, and has what is wrong with it from there.
  const objects = lists.flat().filter((object) => listAt(object, "metadata", "ownerReferences").length === 0);
  return {
    texts: new Map(objects.map((object) => [clusterPlace(objectName(object)), textOf(object)])),
    unseen,
  };
}

/** A server of another group, such as that of metrics, may be away. */
function isWanted(group: string): boolean {
  return Object.hasOwn(ofKubernetes, group) || writtenResources.some((resource) => resource.group === group);
}

function isLookedAt({ group, plural }: KindRow): boolean {
  if (ofKubernetes[group]?.includes(plural) === true) return true;
  return writtenResources.some((resource) => resource.group === group && resource.plural === plural);
}

/** Without what the server keeps for itself. */
function textOf(object: ApiObject): string {
  const { managedFields: _fields, ...metadata } = mappingOf(object["metadata"]);
  const { status: _status, ...whole } = object;
  const [apiVersion = "", kind = ""] = ["apiVersion", "kind"].map((name) => textAt(object, name));
  const kept = kind === "Pod" || hasTellingStatus(apiVersion, kind) ? object : whole;
  return stringify({ ...kept, metadata }, { aliasDuplicateObjects: false });
}

/** Those that no file has too: what a file says of an object is what is to come. @param files by their names */
export function withoutThoseOf(
  texts: ReadonlyMap<string, string>,
  files: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const places = new Set([...files.values()].flatMap(objectNamesIn).map(clusterPlace));
  return new Map([...texts].filter(([source]) => !places.has(source)));
}

function objectNamesIn(text: string): readonly string[] {
  const read = readYamlDocuments(text, objectsLimits);
  if (read.kind === "refused") return [];
  return read.documents
    .filter(({ faults }) => faults.length === 0)
    .flatMap(({ document }) => itemsOf(document))
    .flatMap((node) => {
      const textIn = (...path: readonly string[]): string | undefined => {
        const value: unknown = isMap(node) ? node.getIn(path) : undefined;
        return typeof value === "string" ? value : undefined;
      };
      const [kind, name] = [textIn("kind"), textIn("metadata", "name")];
      const namespace = textIn("metadata", "namespace") ?? "default";
      // Of no namespace, or of one: it is one or the other in the cluster.
      return kind === undefined || name === undefined
        ? []
        : [`${kind} ${name}`, `${kind} ${namespace}/${name}`];
    });
}
