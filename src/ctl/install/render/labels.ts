/**
 * The labels by which an installation knows its own objects (Kubernetes' recommended labels). Pure.
 */
import type { JsonObject } from "../../../controlplane/config/json-value.ts";
import { joined } from "./changed.ts";

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
