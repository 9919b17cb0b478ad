/**
 * Names of a revision's objects: those of the default one are the manifests' own, of any other the revision is at their end. Pure.
 */
import { defaultRevision } from "../spec/schema.ts";

/** The control plane's Deployment, and what belongs to it. */
export const controlPlaneName = "outrider-discovery";

/** Its Service, which proxies have as their discovery address. */
export const serviceName = "istiod";

/** The ConfigMap of the mesh's settings. */
export const meshConfigName = "istio";

/** The webhook of injection, and the ConfigMap with what pods are injected with. */
export const injectionName = "outrider-injection";

/** The ConfigMap of what an installation was told, and its key. */
export const installedStateName = "installed-state";
export const installedStateKey = "operator.yaml";

/** `istiod-canary`. */
export function revisioned(name: string, revision: string): string {
  return revision === defaultRevision ? name : `${name}-${revision}`;
}
