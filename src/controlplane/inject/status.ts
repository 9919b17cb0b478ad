/** What was injected, as Istio's injector writes it into an annotation. */
import type { Template } from "./template/template.ts";

/** JSON with the names of what is in the template. */
export function statusOf({ spec }: Template, revision: string): string {
  const names = (list: readonly { readonly name: string }[]): readonly string[] | null =>
    list.length === 0 ? null : list.map(({ name }) => name);
  return JSON.stringify({
    initContainers: names(spec.initContainers),
    containers: names(spec.containers),
    volumes: names(spec.volumes),
    imagePullSecrets: names(spec.imagePullSecrets),
    revision: revision === "" ? "default" : revision,
  });
}
