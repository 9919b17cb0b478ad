/** Objects that make pods, and where they have what these are made of. */
import { at, textAt } from "../../lifecycle/json-path.ts";
import { ownerOf, type WorkloadOwner } from "./owner.ts";
import type { Pod } from "./pod.ts";

const ofController = ["spec", "template"] as const;

/** By kind: the path of the template; the object itself for a Pod. */
export const podTemplatePaths: Readonly<Record<string, readonly string[]>> = {
  Pod: [],
  Deployment: ofController,
  StatefulSet: ofController,
  DaemonSet: ofController,
  ReplicaSet: ofController,
  ReplicationController: ofController,
  DeploymentConfig: ofController,
  Job: ofController,
  CronJob: ["spec", "jobTemplate", ...ofController],
};

/** An object with pods. */
export interface Workload {
  readonly kind: string;
  readonly name: string;
  /** Where its pods are. */
  readonly path: readonly string[];
  readonly template: unknown;
  /** Empty where it does not say. */
  readonly namespace: string;
  readonly owner: (pod: Pod) => WorkloadOwner;
}

/** Undefined for an object without pods. */
export function workloadOf(object: unknown): Workload | undefined {
  const kind = textAt(object, "kind") ?? "";
  const path = Object.hasOwn(podTemplatePaths, kind) ? podTemplatePaths[kind] : undefined;
  const template = path === undefined ? undefined : at(object, ...path);
  if (path === undefined || template === undefined) return undefined;
  const name = textAt(object, "metadata", "name") ?? textAt(object, "metadata", "generateName") ?? "";
  const apiVersion = textAt(object, "apiVersion") ?? "";
  return {
    kind,
    name,
    path,
    template,
    namespace: textAt(template, "metadata", "namespace") ?? textAt(object, "metadata", "namespace") ?? "",
    owner: (pod) => (kind === "Pod" ? ownerOf(pod) : { name, kind, apiVersion }),
  };
}
