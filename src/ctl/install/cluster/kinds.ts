/**
 * The kinds of objects that an installation has, in the order in which they are applied: a namespace before what is in it, rights
 * before who needs them, and what the API asks about others once there is somebody to answer. They are removed the other way.
 */

/** Where the API has a kind. */
export interface KindRow {
  readonly kind: string;
  /** Empty for Kubernetes' first API. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly isNamespaced: boolean;
  /** Applied once everything before it is ready. */
  readonly isLate?: true;
}

const rbac = { group: "rbac.authorization.k8s.io", version: "v1" } as const;
const admission = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  isNamespaced: false,
  isLate: true,
} as const;
const core = { group: "", version: "v1" } as const;

/** In that order. */
export const kindRows: readonly KindRow[] = [
  { kind: "Namespace", ...core, plural: "namespaces", isNamespaced: false },
  {
    kind: "CustomResourceDefinition",
    group: "apiextensions.k8s.io",
    version: "v1",
    plural: "customresourcedefinitions",
    isNamespaced: false,
  },
  { kind: "ServiceAccount", ...core, plural: "serviceaccounts", isNamespaced: true },
  { kind: "ClusterRole", ...rbac, plural: "clusterroles", isNamespaced: false },
  { kind: "ClusterRoleBinding", ...rbac, plural: "clusterrolebindings", isNamespaced: false },
  { kind: "Role", ...rbac, plural: "roles", isNamespaced: true },
  { kind: "RoleBinding", ...rbac, plural: "rolebindings", isNamespaced: true },
  { kind: "ConfigMap", ...core, plural: "configmaps", isNamespaced: true },
  {
    kind: "NetworkPolicy",
    group: "networking.k8s.io",
    version: "v1",
    plural: "networkpolicies",
    isNamespaced: true,
  },
  { kind: "Service", ...core, plural: "services", isNamespaced: true },
  {
    kind: "PodDisruptionBudget",
    group: "policy",
    version: "v1",
    plural: "poddisruptionbudgets",
    isNamespaced: true,
  },
  { kind: "Deployment", group: "apps", version: "v1", plural: "deployments", isNamespaced: true },
  { kind: "MutatingWebhookConfiguration", ...admission, plural: "mutatingwebhookconfigurations" },
  { kind: "ValidatingWebhookConfiguration", ...admission, plural: "validatingwebhookconfigurations" },
];

/** @throws RangeError for a kind that no installation has */
export function kindRow(kind: unknown): KindRow {
  const row = kindRows.find((known) => known.kind === kind);
  if (row === undefined) throw new RangeError(`${String(kind)} is no kind of an installation`);
  return row;
}
