/**
 * Tags of a cluster: set, listed and removed, and what is said of it.
 */
import type { CommandContext } from "../../command/command.ts";
import type { ApiObject, KubernetesApi } from "../../controlplane/kubernetes/api.ts";
import { textsOf } from "../../controlplane/kubernetes/resource.ts";
import { at, listAt, textAt } from "../../lifecycle/json-path.ts";
import { applyObject } from "./cluster/apply.ts";
import { kindRow } from "./cluster/kinds.ts";
import { isOwn, labelOf, listObjects, pathOf, readObject, removeObject } from "./cluster/objects.ts";
import { managedBy } from "./render/labels.ts";
import { objectOf, readManifests } from "./render/manifests.ts";
import { injectionName, revisioned } from "./render/names.ts";
import { defaultRevision } from "./spec/schema.ts";
import { renderTag, tagLabel, tagObjectName } from "./render/tag.ts";

const kind = "MutatingWebhookConfiguration";

/** A tag, and who asks for it. */
export interface ListedTag {
  readonly tag: string;
  readonly revision: string;
  readonly namespaces: readonly string[];
}

/** What came of it; all else is told. */
export type TagOutcome = "done" | "missing" | "obstacle";

/** By their names. @throws KubernetesError */
export async function listTags(api: KubernetesApi, signal: AbortSignal): Promise<readonly ListedTag[]> {
  const labelSelector = [...Object.entries(managedBy).map((pair) => pair.join("=")), tagLabel].join(",");
  const objects = await listObjects(api, kindRow(kind), { labelSelector }, signal);
  const tags = objects.map(async (object): Promise<ListedTag> => {
    const tag = textsOf(at(object, "metadata", "labels"))[tagLabel] ?? "";
    const namespaces = await namespacesWith(api, tag, signal);
    return { tag, revision: labelOf(object, "revision") ?? "", namespaces };
  });
  return (await Promise.all(tags)).toSorted((a, b) => (a.tag < b.tag ? -1 : 1));
}

async function namespacesWith(
  api: KubernetesApi,
  tag: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  // Those that name no revision have the default one.
  const asking = [`istio.io/rev=${tag}`, ...(tag === defaultRevision ? ["istio-injection=enabled"] : [])];
  const lists = await Promise.all(
    asking.map((labelSelector) => listObjects(api, kindRow("Namespace"), { labelSelector }, signal)),
  );
  return [...new Set(lists.flat().map((each) => textAt(each, "metadata", "name") ?? ""))].toSorted();
}

/** @throws KubernetesError, ManifestError */
export async function setTag(
  api: KubernetesApi,
  {
    tag,
    revision,
    overwrites,
  }: { readonly tag: string; readonly revision: string; readonly overwrites: boolean },
  { print, printError, shutdown: signal, program, manifests }: CommandContext,
): Promise<TagOutcome> {
  const read = (name: string): Promise<ApiObject | undefined> =>
    readObject(api, pathOf({ kind, metadata: { name } }), signal);
  const webhook = await read(revisioned(injectionName, revision));
  if (webhook === undefined) {
    printError(
      `the cluster has no revision ${revision} that injects: outriderctl install --revision makes one`,
    );
    return "missing";
  }
  const caBundle = textAt(listAt(webhook, "webhooks")[0], "clientConfig", "caBundle") ?? "";
  if (caBundle === "") {
    printError(`revision ${revision} has not written its root into its webhook yet: wait until it is ready`);
    return "obstacle";
  }
  if ((await read(revisioned(injectionName, tag))) !== undefined) {
    const remedy =
      tag === defaultRevision
        ? "Remove it first: outriderctl uninstall --revision default"
        : "Take another name";
    printError(`${tag} is a revision of the cluster: namespaces would be injected by both. ${remedy}`);
    return "obstacle";
  }
  const before = await read(tagObjectName(tag));
  const to = before === undefined ? undefined : labelOf(before, "revision");
  if (before !== undefined && (!isOwn(before) || (to !== revision && !overwrites))) {
    printError(
      isOwn(before)
        ? `${tag} leads to revision ${to ?? ""}: let it lead to ${revision} with --overwrite`
        : `${kind} ${tagObjectName(tag)} is there, and outriderctl did not make it: take another name`,
    );
    return "obstacle";
  }
  const shipped = objectOf(readManifests(manifests).injection, kind, injectionName);
  const installation = labelOf(webhook, "name") ?? "outrider";
  const objects = renderTag(
    { name: tag, revision, caBundle, release: program.version, installation },
    shipped,
  );
  // The tag is its own, and the root in it the control plane's, which has just said what that is.
  for (const object of objects) await applyObject(api, object, { isDryRun: false, isForced: true }, signal);
  const namespaces = await namespacesWith(api, tag, signal);
  print(`✔ ${tag} leads to revision ${revision}`);
  print(
    namespaces.length === 0
      ? `  let a namespace ask for it: kubectl label namespace NAME ${tag === defaultRevision ? "istio-injection=enabled istio.io/rev-" : `istio.io/rev=${tag} istio-injection-`}`
      : `  it takes effect for new pods: kubectl rollout restart deployment --namespace ${namespaces.join(" … ")}`,
  );
  return "done";
}

/** @throws KubernetesError */
export async function removeTag(
  api: KubernetesApi,
  { tag, isForced }: { readonly tag: string; readonly isForced: boolean },
  { print, printError, shutdown: signal }: CommandContext,
): Promise<TagOutcome> {
  const path = pathOf({ kind, metadata: { name: tagObjectName(tag) } });
  const object = await readObject(api, path, signal);
  if (object === undefined || !isOwn(object)) {
    printError(`the cluster has no tag ${tag} of outriderctl's`);
    return "missing";
  }
  const namespaces = await namespacesWith(api, tag, signal);
  if (namespaces.length > 0 && !isForced) {
    printError(
      `namespaces ask for ${tag}, and their new pods would have no sidecar: ${namespaces.join(", ")}. Let them ask for another revision, or remove it with --force`,
    );
    return "obstacle";
  }
  await removeObject(api, path, false, signal);
  for (const right of ["ClusterRoleBinding", "ClusterRole"]) {
    const rightPath = pathOf({ kind: right, metadata: { name: tagObjectName(tag) } });
    const there = await readObject(api, rightPath, signal);
    if (there !== undefined && isOwn(there)) await removeObject(api, rightPath, false, signal);
  }
  print(`✔ ${tag} is removed`);
  return "done";
}
