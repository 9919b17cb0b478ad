/**
 * The labels by which an installation knows its own objects (Kubernetes' recommended labels). Pure.
 */
import type { JsonObject } from "../../../controlplane/config/json-value.ts";
import { defaultRevision } from "../spec/schema.ts";
import { changed, joined, mappingOf } from "./changed.ts";

/** Who applies them: the manager of the fields, too. */
export const fieldManager = "outriderctl";

/** Says that this program made an object. */
export const managedBy = { "app.kubernetes.io/managed-by": fieldManager } as const;

/** Labels by what they say. */
export const labelNames = {
  name: "app.kubernetes.io/instance",
  component: "app.kubernetes.io/component",
  version: "app.kubernetes.io/version",
  revision: "istio.io/rev",
} as const;

/** Says of somebody else's object which revision has laid its fields over it: it is none that this program made. */
export const takenOverLabel = "outrider.dev/taken-over-by";

/** Parts of an installation, as an IstioOperatorSpec calls them. */
export type Component = "Base" | "Pilot" | "IngressGateways" | "EgressGateways" | "Tag";

/** Whose an object is. Of no revision: it is shared, and a namespace with such a label would be injected. */
export interface Owner {
  readonly name: string;
  readonly component: Component;
  readonly revision?: string;
  /** The release that makes it. */
  readonly release: string;
}

/** The same object as its owner's. */
export function labelled(object: JsonObject, { name, component, revision, release }: Owner): JsonObject {
  return joined(object, ["metadata", "labels"], {
    ...managedBy,
    [labelNames.name]: name,
    [labelNames.component]: component,
    [labelNames.version]: release,
    [labelNames.revision]: revision,
  });
}

/** The same object laid over one that somebody else made: whose it is stays as its maker has said. */
export function takenOver(object: JsonObject): JsonObject {
  return changed(object, ["metadata", "labels"], (value) => {
    const labels = mappingOf(value);
    const own: readonly string[] = [...Object.keys(managedBy), ...Object.values(labelNames)];
    const others = Object.fromEntries(Object.entries(labels).filter(([name]) => !own.includes(name)));
    return { ...others, [takenOverLabel]: labels[labelNames.revision] ?? defaultRevision };
  });
}
