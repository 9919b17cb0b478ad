/**
 * Objects of an installation in a cluster: where they are, whose they are, and how they are read and removed.
 */
import type { ApiObject, KubernetesApi } from "../../../controlplane/kubernetes/api.ts";
import { KubernetesError } from "../../../controlplane/kubernetes/api-error.ts";
import { collectionPath, mappingsOf, textsOf } from "../../../controlplane/kubernetes/resource.ts";
import { at, textAt } from "../../../lifecycle/json-path.ts";
import { fieldManager, labelNames, managedBy, takenOverLabel } from "../render/labels.ts";
import { type KindRow, kindRow, kindRows } from "./kinds.ts";

/** Where the API has an object. */
export function pathOf(object: ApiObject): string {
  const row = kindRow(object["kind"]);
  const namespace = textAt(object, "metadata", "namespace");
  const place = row.isNamespaced && namespace !== undefined ? { ...row, namespace } : row;
  return `${collectionPath(place, row.version)}/${textAt(object, "metadata", "name") ?? ""}`;
}

/** The object at a path; undefined where there is none. @throws KubernetesError */
export async function readObject(
  api: KubernetesApi,
  path: string,
  signal: AbortSignal,
): Promise<ApiObject | undefined> {
  try {
    return await api.send({ path }, signal);
  } catch (error) {
    if (error instanceof KubernetesError && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}

/** True for one that this program made. */
export function isOwn(object: ApiObject): boolean {
  return textAt(object, "metadata", "labels", "app.kubernetes.io/managed-by") === fieldManager;
}

/** True for one that somebody else made, and this program has laid its fields over. */
export function isTakenOver(object: ApiObject): boolean {
  return !isOwn(object) && textAt(object, "metadata", "labels", takenOverLabel) !== undefined;
}

/** A label of an object. */
export function labelOf(object: ApiObject, name: keyof typeof labelNames): string | undefined {
  return textsOf(at(object, "metadata", "labels"))[labelNames[name]];
}

/**
 * Every object that this program made, in the order in which they are applied.
 *
 * @param revision of one revision, what is shared left out
 * @throws KubernetesError
 */
export async function installedObjects(
  api: KubernetesApi,
  signal: AbortSignal,
  revision?: string,
): Promise<readonly ApiObject[]> {
  const labels = { ...managedBy, ...(revision === undefined ? {} : { [labelNames.revision]: revision }) };
  const labelSelector = Object.entries(labels)
    .map((pair) => pair.join("="))
    .join(",");
  const lists = await Promise.all(kindRows.map((row) => listObjects(api, row, { labelSelector }, signal)));
  return lists.flat();
}

/** All of a kind; items of a list do not say what they are. @throws KubernetesError */
export async function listObjects(
  api: KubernetesApi,
  row: Omit<KindRow, "isLate"> & { readonly namespace?: string },
  query: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<readonly ApiObject[]> {
  const apiVersion = row.group === "" ? row.version : `${row.group}/${row.version}`;
  const path = collectionPath(row, row.version);
  const found: ApiObject[] = [];
  let next = "";
  do {
    const page = await api.send(
      { path, query: { limit: "500", ...query, ...(next === "" ? {} : { continue: next }) } },
      signal,
    );
    found.push(...mappingsOf(page["items"]).map((item) => ({ apiVersion, kind: row.kind, ...item })));
    next = textAt(page, "metadata", "continue") ?? "";
  } while (next !== "");
  return found;
}

/** False where it was gone before. What it owns goes after it. @throws KubernetesError */
export async function removeObject(
  api: KubernetesApi,
  path: string,
  isDryRun: boolean,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const query = { propagationPolicy: "Background", ...(isDryRun ? { dryRun: "All" } : {}) };
    await api.send({ method: "DELETE", path, query }, signal);
    return true;
  } catch (error) {
    if (error instanceof KubernetesError && error.code === "NOT_FOUND") return false;
    throw error;
  }
}
