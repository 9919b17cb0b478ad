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
  const query = { labelSelector: `istio.io/rev=${tag}` };
  const found = await listObjects(api, kindRow("Namespace"), query, signal);
  return found.map((each) => textAt(each, "metadata", "name") ?? "");
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
    printError(
      `${tag} is a revision of the cluster: namespaces would be injected by both. Take another name`,
    );
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
  const object = renderTag(
    { name: tag, revision, caBundle, release: program.version, installation },
    shipped,
  );
  await applyObject(api, object, { isDryRun: false, isForced: overwrites }, signal);
  const namespaces = await namespacesWith(api, tag, signal);
  print(`✔ ${tag} leads to revision ${revision}`);
  print(
    namespaces.length === 0
      ? `  let a namespace ask for it: kubectl label namespace NAME istio.io/rev=${tag} istio-injection-`
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
  print(`✔ ${tag} is removed`);
  return "done";
}
