/**
 * A Deployment with what a specification says of its pods. Pure.
 */
import type { Json, JsonObject } from "../../../controlplane/config/json-value.ts";
import type { InstallSpec, WorkloadSpec } from "../spec/schema.ts";
import { changed, firstChanged, joined, listOf, mappingOf } from "./changed.ts";

const pod = ["spec", "template", "spec"] as const;
const containers = [...pod, "containers"] as const;

/** What every pod of an installation has. */
export type ImageSpec = Pick<InstallSpec, "hub" | "tag" | "values">;

/** @param component `k8s` of the component */
export function withWorkload(
  deployment: JsonObject,
  component: WorkloadSpec = {},
  { hub = "", tag = "", values }: ImageSpec,
): JsonObject {
  const { imagePullPolicy, imagePullSecrets } = values?.global ?? {};
  const { replicaCount, resources, env, podAnnotations } = component;
  const scheduled = joined(deployment, pod, {
    nodeSelector: component.nodeSelector,
    tolerations: component.tolerations,
    affinity: component.affinity,
    priorityClassName: component.priorityClassName,
    imagePullSecrets: imagePullSecrets?.map((name) => ({ name })),
  });
  const counted = joined(scheduled, ["spec"], { replicas: replicaCount });
  const annotated = joined(counted, ["spec", "template", "metadata", "annotations"], podAnnotations ?? {});
  return firstChanged(annotated, containers, (container) => {
    const withImage: JsonObject = {
      ...container,
      image: `${hub === "" ? "" : `${hub.replace(/\/$/, "")}/`}outrider:${tag}`,
      ...(imagePullPolicy === undefined ? {} : { imagePullPolicy }),
    };
    const limited = changed(withImage, ["resources"], (given) => resourcesOf(mappingOf(given), resources));
    return env === undefined || env.length === 0
      ? limited
      : changed(limited, ["env"], (given) => environment(listOf(given), env as readonly JsonObject[]));
  });
}

function resourcesOf(
  given: JsonObject,
  { requests, limits }: NonNullable<WorkloadSpec["resources"]> = {},
): JsonObject {
  return joined(joined(given, ["requests"], requests ?? {}), ["limits"], limits ?? {});
}

/** Variables by their names: those that are given take the place of the manifest's. */
function environment(given: readonly Json[], own: readonly JsonObject[]): Json {
  const names = new Set(own.map(({ name }) => name));
  return [...given.filter((each) => !names.has(mappingOf(each)["name"])), ...own];
}
