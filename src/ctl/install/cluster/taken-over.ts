/**
 * Objects of somebody else that an installation has laid its fields over (`--force`): none of them goes with it.
 */
import type { ApiObject, KubernetesApi } from "../../../controlplane/kubernetes/api.ts";
import { mappingsOf, textOf } from "../../../controlplane/kubernetes/resource.ts";
import { at } from "../../../lifecycle/json-path.ts";
import { objectName } from "../difference.ts";
import { fieldManager, takenOverLabel } from "../render/labels.ts";
import { kindRows } from "./kinds.ts";
import { isTakenOver, listObjects, pathOf } from "./objects.ts";

/**
 * They are their makers' again.
 *
 * @param revision undefined for all
 * @returns what stays, a line each
 * @throws KubernetesError
 */
export async function giveBack(
  api: KubernetesApi,
  {
    revision,
    isDryRun,
    signal,
  }: { readonly revision: string | undefined; readonly isDryRun: boolean; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  const labelSelector = revision === undefined ? takenOverLabel : `${takenOverLabel}=${revision}`;
  const lists = await Promise.all(kindRows.map((row) => listObjects(api, row, { labelSelector }, signal)));
  const objects = lists.flat().filter(isTakenOver);
  for (const object of objects)
    await api.send(
      {
        method: "PATCH",
        path: pathOf(object),
        query: { fieldManager, ...(isDryRun ? { dryRun: "All" } : {}) },
        body: { metadata: { labels: { [takenOverLabel]: null } } },
        contentType: "application/merge-patch+json",
      },
      signal,
    );
  return objects.map((object) => {
    const makers = makersOf(object).join(", ");
    return `${objectName(object)} stays: ${makers === "" ? "somebody else" : makers} made it, and it has fields that install --force laid over it. Let its maker apply it again`;
  });
}

function makersOf(object: ApiObject): readonly string[] {
  const managers = mappingsOf(at(object, "metadata", "managedFields")).map(({ manager }) => textOf(manager));
  return [...new Set(managers)].filter((name) => name !== "" && name !== fieldManager);
}
