/**
 * What a cluster would say of objects: each is applied without being kept (server-side apply, `dryRun=All`), so that the API's own
 * schemas, its admission and every webhook that has no side effects judge it.
 */
import type { ConfigProblem } from "../../controlplane/config/problem.ts";
import type { KubernetesApi } from "../../controlplane/kubernetes/api.ts";
import { KubernetesError } from "../../controlplane/kubernetes/api-error.ts";
import { collectionPath } from "../../controlplane/kubernetes/resource.ts";
import { isMapping } from "../../document/mapping.ts";
import { textAt } from "../../lifecycle/json-path.ts";
import { severalAtOnce } from "../../lifecycle/several-at-once.ts";
import { everyObject, type KubernetesObject } from "../analyze/kubernetes-objects.ts";
import { servedKinds } from "../install/cluster/foreign-objects.ts";

/** Questions that are open at a time. */
const atOnce = 8;

/** @param texts by their sources @throws KubernetesError where the cluster does not answer, or knows nobody */
export async function dryRunProblems(
  api: KubernetesApi,
  texts: ReadonlyMap<string, string>,
  signal: AbortSignal,
): Promise<readonly ConfigProblem[]> {
  const objects = [...texts].flatMap(([source, text]) => everyObject(source, text));
  const groups = new Set(objects.map((object) => apiOf(object).group));
  const kinds = await servedKinds(api, signal, { isWanted: (group) => groups.has(group) });
  const problems = await severalAtOnce(objects, atOnce, (object): Promise<readonly ConfigProblem[]> => {
    const { group, version } = apiOf(object);
    const row = kinds.find((each) => each.kind === object.kind && each.group === group);
    if (row === undefined) {
      const message = `${object.kind} of ${group === "" ? "Kubernetes' first API" : group} is no kind of the cluster: install its definition first`;
      return Promise.resolve([problemOf(object, "kind", message)]);
    }
    const { namespace } = object;
    const collection = collectionPath(row.isNamespaced ? { ...row, namespace } : row, version);
    return applied(api, object, `${collection}/${encodeURIComponent(object.name)}`, signal);
  });
  return problems.flat();
}

function apiOf({ value }: KubernetesObject): { readonly group: string; readonly version: string } {
  const [version = "", group = ""] = (textAt(value, "apiVersion") ?? "").split("/", 2).toReversed();
  return { group, version };
}

async function applied(
  api: KubernetesApi,
  object: KubernetesObject,
  path: string,
  signal: AbortSignal,
): Promise<readonly ConfigProblem[]> {
  if (!isMapping(object.value)) return [];
  try {
    const query = { fieldManager: "outriderctl-validate", force: "true", dryRun: "All" };
    const contentType = "application/apply-patch+yaml";
    await api.send({ method: "PATCH", path, query, body: bare(object.value), contentType }, signal);
    return [];
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    return refusals(error).map(([field, message]) => problemOf(object, field, message));
  }
}

/** What only the server writes may not be applied: objects as `kubectl get` prints them have it. */
function bare(value: Readonly<Record<string, unknown>>): object {
  const { status: _status, metadata, ...rest } = value;
  const {
    managedFields: _fields,
    resourceVersion: _version,
    uid: _uid,
    ...kept
  } = isMapping(metadata) ? metadata : {};
  return { ...rest, metadata: kept };
}

/** @throws the same error where it is none of the object's */
function refusals(error: KubernetesError): readonly (readonly [field: string, message: string])[] {
  const { code, fields, said } = error;
  if (fields.length > 0 && code !== "BUSY")
    return fields.map(({ field, message }) => [
      field.replace(/^\./, ""),
      `the cluster refuses it: ${message}`,
    ]);
  switch (code) {
    case "NOT_FOUND":
    case "CONFLICT":
      return [["", `the cluster cannot take it: ${said === "" ? error.message : said}`]];
    case "FORBIDDEN":
      return [["", `you may not apply it: ${said}`]];
    case "UNUSABLE":
      if (said === "") throw error;
      return [["", `the cluster refuses it: ${said}`]];
    default:
      throw error;
  }
}

function problemOf({ source, line }: KubernetesObject, path: string, message: string): ConfigProblem {
  return { source, line, path, message };
}
