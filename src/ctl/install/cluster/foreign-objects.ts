/**
 * What would be lost with a namespace or the definition of a kind: objects in it that no installation made.
 */
import { at, listAt, textAt } from "../../../lifecycle/json-path.ts";
import { severalAtOnce } from "../../../lifecycle/several-at-once.ts";
import { KubernetesError } from "../../../controlplane/kubernetes/api-error.ts";
import type { ApiObject, KubernetesApi } from "../../../controlplane/kubernetes/api.ts";
import { mappingsOf } from "../../../controlplane/kubernetes/resource.ts";
import { objectName } from "../difference.ts";
import type { KindRow } from "./kinds.ts";
import { listObjects } from "./objects.ts";

/** What Kubernetes makes in every namespace by itself. */
const ofKubernetes: readonly string[] = ["ServiceAccount default", "ConfigMap kube-root-ca.crt"];

/** What comes and goes with other objects, or says something of them. */
const passing: readonly string[] = ["Event", "Endpoints", "EndpointSlice", "PodMetrics"];

/** Names, none for an object that holds none. @param own names of what is removed as well @throws KubernetesError */
export async function foreignObjects(
  api: KubernetesApi,
  object: ApiObject,
  own: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (object["kind"] === "CustomResourceDefinition") return objectsOfKind(api, object, signal);
  if (object["kind"] === "Namespace") return objectsInNamespace(api, object, own, signal);
  return [];
}

async function objectsOfKind(
  api: KubernetesApi,
  definition: ApiObject,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const version = listAt(definition, "spec", "versions").find((each) => at(each, "storage") === true);
  const row = {
    kind: textAt(definition, "spec", "names", "kind") ?? "",
    group: textAt(definition, "spec", "group") ?? "",
    version: textAt(version, "name") ?? "v1",
    plural: textAt(definition, "spec", "names", "plural") ?? "",
    isNamespaced: true,
  };
  return (await listObjects(api, row, {}, signal)).map(objectName);
}

async function objectsInNamespace(
  api: KubernetesApi,
  object: ApiObject,
  own: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const namespace = textAt(object, "metadata", "name") ?? "";
  const silent: string[] = [];
  const onSilent = (group: string): void => {
    silent.push(`what ${group} has, which does not answer`);
  };
  const kinds = (await servedKinds(api, signal, { onSilent })).filter(
    ({ isNamespaced, kind }) => isNamespaced && !passing.includes(kind),
  );
  const lists = await severalAtOnce(kinds, atOnce, (row) =>
    unlessGone(listObjects(api, { ...row, namespace }, {}, signal)),
  );
  const found = lists
    .flat()
    .filter((each) => {
      const name = `${textAt(each, "kind") ?? ""} ${textAt(each, "metadata", "name") ?? ""}`;
      // What has an owner goes with it.
      const isOwned = listAt(each, "metadata", "ownerReferences").length > 0;
      return !isOwned && !ofKubernetes.includes(name) && !own.has(objectName(each));
    })
    .map(objectName);
  return [...found, ...silent];
}

/** Questions that are open at a time. */
const atOnce = 8;

/** A kind may go while it is looked for: the definitions of this program's own have just been removed. */
async function unlessGone<T>(list: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await list;
  } catch (error) {
    if (error instanceof KubernetesError && error.status === 404) return [];
    throw error;
  }
}

/** Of which groups, and what becomes of those that do not answer. */
interface ServedOptions {
  /** Each unless told. */
  readonly isWanted?: (group: string) => boolean;
  /** Told of a group whose own server, beside the cluster's, does not answer; an error without it. */
  readonly onSilent?: (group: string) => void;
}

/** Every kind that the cluster can list, in the version that it likes best. @throws KubernetesError */
export async function servedKinds(
  api: KubernetesApi,
  signal: AbortSignal,
  { isWanted = () => true, onSilent }: ServedOptions = {},
): Promise<readonly KindRow[]> {
  const groups = mappingsOf((await api.send({ path: "/apis" }, signal))["groups"]).map((group) => ({
    group: textAt(group, "name") ?? "",
    version: textAt(group, "preferredVersion", "version") ?? "",
  }));
  const wanted = [{ group: "", version: "v1" }, ...groups].filter(({ group }) => isWanted(group));
  const found = await severalAtOnce(wanted, atOnce, async (each): Promise<readonly KindRow[]> => {
    try {
      return await kindsOf(api, each, signal);
    } catch (error) {
      if (onSilent === undefined || !(error instanceof KubernetesError) || error.status !== 503) throw error;
      onSilent(each.group);
      return [];
    }
  });
  return found.flat();
}

async function kindsOf(
  api: KubernetesApi,
  { group, version }: { readonly group: string; readonly version: string },
  signal: AbortSignal,
): Promise<readonly KindRow[]> {
  const path = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const answer = api.send({ path }, signal);
  const resources = await unlessGone(answer.then((each) => mappingsOf(each["resources"])));
  return resources.flatMap((resource) => {
    const plural = textAt(resource, "name") ?? "";
    if (plural.includes("/") || !listAt(resource, "verbs").includes("list")) return [];
    const isNamespaced = resource["namespaced"] === true;
    return [{ kind: textAt(resource, "kind") ?? "", group, version, plural, isNamespaced }];
  });
}
