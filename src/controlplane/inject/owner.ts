/**
 * The workload that a pod belongs to, as telemetry names it. Whoever makes pods makes others for it: a Deployment is known by its
 * ReplicaSet's name, a CronJob by its Job's (as Istio's injector reads them). Pure.
 */
import { isMapping } from "../../document/mapping.ts";
import type { Pod } from "./pod.ts";

/** A workload, such as a Deployment. */
export interface WorkloadOwner {
  /** Empty where nobody knows it yet. */
  readonly name: string;
  readonly kind: string;
  readonly apiVersion: string;
}

/** Of a pod as it is being made. */
export function ownerOf({ metadata }: Pod): WorkloadOwner {
  const { labels = {} } = metadata;
  const [name, generateName] = [textOf(metadata["name"]), textOf(metadata["generateName"])];
  const itself = { name: name || generateName.replace(/-$/, ""), kind: "Pod", apiVersion: "v1" };
  const references: unknown = metadata["ownerReferences"];
  const controller = Array.isArray(references)
    ? (references as readonly unknown[]).filter(isMapping).find((each) => each["controller"] === true)
    : undefined;
  if (generateName === "" || controller === undefined) return itself;
  const [kind, owner] = [textOf(controller["kind"]), textOf(controller["name"])];
  const made = (label: string): string | undefined => {
    const suffix = labels[label];
    return suffix !== undefined && suffix !== "" && owner.endsWith(`-${suffix}`)
      ? owner.slice(0, -suffix.length - 1)
      : undefined;
  };
  if (kind === "ReplicaSet") {
    const deployment = made("pod-template-hash");
    if (deployment !== undefined) return { name: deployment, kind: "Deployment", apiVersion: "apps/v1" };
    const rollout = made("rollouts-pod-template-hash");
    if (rollout !== undefined) return { name: rollout, kind: "Rollout", apiVersion: "argoproj.io/v1alpha1" };
  }
  const cronJob = kind === "Job" ? /^(.+)-\d{8,10}$/.exec(owner)?.[1] : undefined;
  if (cronJob !== undefined) return { name: cronJob, kind: "CronJob", apiVersion: "batch/v1" };
  const config = labels["deploymentconfig"];
  if (kind === "ReplicationController" && config !== undefined && config !== "")
    return { name: config, kind: "DeploymentConfig", apiVersion: textOf(controller["apiVersion"]) };
  return { name: owner, kind, apiVersion: textOf(controller["apiVersion"]) };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
