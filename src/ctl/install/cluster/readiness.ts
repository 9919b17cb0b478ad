/**
 * Whether an object of an installation does its work, by its status (Kubernetes' API conventions, and kubectl's rollout status),
 * and what keeps pods from theirs. Pure.
 */
import type { ApiObject } from "../../../controlplane/kubernetes/api.ts";
import { mappingOf, mappingsOf, textOf } from "../../../controlplane/kubernetes/resource.ts";
import { at, listAt, textAt } from "../../../lifecycle/json-path.ts";

/** Undefined for an object that is ready; else what is waited for. */
export function unreadyReason(object: ApiObject): string | undefined {
  switch (object["kind"]) {
    case "CustomResourceDefinition":
      return definitionReason(object);
    case "Deployment":
      return deploymentReason(object);
    default:
      return undefined;
  }
}

function definitionReason(object: ApiObject): string | undefined {
  const conditions = conditionsOf(object);
  if (conditions.get("Established")?.status === "True") return undefined;
  const names = conditions.get("NamesAccepted");
  return names?.status === "False"
    ? `its names are not accepted: ${names.message}`
    : "it is not established yet";
}

function deploymentReason(object: ApiObject): string | undefined {
  const count = (...path: readonly string[]): number | undefined => {
    const value = at(object, ...path);
    return typeof value === "number" ? value : undefined;
  };
  if ((count("status", "observedGeneration") ?? 0) < (count("metadata", "generation") ?? 0))
    return "Kubernetes has not looked at it yet";
  const conditions = conditionsOf(object);
  const failure = conditions.get("ReplicaFailure");
  if (failure?.status === "True") return `its pods cannot be made: ${failure.message}`;
  const wanted = count("spec", "replicas") ?? 1;
  const [all = 0, updated = 0, available = 0] = ["replicas", "updatedReplicas", "availableReplicas"].map(
    (name) => count("status", name),
  );
  if (updated < wanted) return `${updated} of ${wanted} pods are made`;
  if (available < wanted) return `${available} of ${wanted} pods are available`;
  return all > updated ? `${all - updated} of the former pods are there still` : undefined;
}

interface Condition {
  readonly status: string;
  readonly reason: string;
  readonly message: string;
}

function conditionsOf(object: ApiObject): ReadonlyMap<string, Condition> {
  return new Map(
    mappingsOf(at(object, "status", "conditions")).map(({ type, status, reason, message }) => [
      textOf(type),
      { status: textOf(status), reason: textOf(reason), message: textOf(message) },
    ]),
  );
}

/** A line for each thing that keeps these pods from being ready. */
export function hangingPods(pods: readonly ApiObject[]): readonly string[] {
  return pods.flatMap((pod) => {
    const name = `Pod ${textAt(pod, "metadata", "namespace") ?? ""}/${textAt(pod, "metadata", "name") ?? ""}`;
    return podReasons(pod).map((reason) => `${name}: ${reason}`);
  });
}

function podReasons(pod: ApiObject): readonly string[] {
  const conditions = conditionsOf(pod);
  if (conditions.get("Ready")?.status === "True") return [];
  const scheduled = conditions.get("PodScheduled");
  if (scheduled?.status === "False")
    return [`no node takes it${scheduled.message === "" ? "" : `: ${scheduled.message}`}`];
  const containers = ["initContainerStatuses", "containerStatuses"].flatMap((list) =>
    listAt(pod, "status", list).flatMap((status) => containerReason(mappingOf(status)) ?? []),
  );
  if (containers.length > 0) return containers;
  const phase = textAt(pod, "status", "phase");
  return [
    phase === undefined || phase === "Pending"
      ? "its node has not started it"
      : `it is ${phase}, and not ready${conditions.get("Ready")?.message ? `: ${conditions.get("Ready")?.message ?? ""}` : ""}`,
  ];
}

/** Undefined for a container that is in order. */
function containerReason(status: ApiObject): string | undefined {
  const name = `container ${textOf(status["name"])}`;
  const waiting = mappingOf(at(status, "state", "waiting"));
  const reason = textOf(waiting["reason"]);
  const message = textOf(waiting["message"]);
  const last = mappingOf(at(status, "lastState", "terminated"));
  const ended =
    typeof last["exitCode"] === "number"
      ? `, and ended with ${last["exitCode"]}${textOf(last["message"]) === "" ? "" : ` (${firstLine(textOf(last["message"]))})`}`
      : "";
  if (reason !== "" && reason !== "PodInitializing" && reason !== "ContainerCreating")
    return `${name}: ${reason}${message === "" ? "" : `: ${firstLine(message)}`}${ended}`;
  if (reason === "ContainerCreating") return `${name} is being made`;
  const isOver = textAt(status, "state", "terminated", "reason") === "Completed";
  if (status["ready"] === true || isOver || reason === "PodInitializing") return undefined;
  const restarts = typeof status["restartCount"] === "number" ? status["restartCount"] : 0;
  return `${name} runs, and is not ready${restarts > 0 ? `, after ${restarts} restarts` : ""}${ended}`;
}

function firstLine(text: string): string {
  return text.trim().split("\n", 1)[0] ?? "";
}
