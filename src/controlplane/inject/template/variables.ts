/** Variables of containers, by where their values come from (Kubernetes' `EnvVar`). */
import type { Named } from "../pod.ts";

export function valueOf(name: string, value: string): Named {
  return { name, value };
}

/** A field of the pod itself. */
export function fieldOf(name: string, fieldPath: string): Named {
  return { name, valueFrom: { fieldRef: { fieldPath } } };
}

/** A limit of the container, in whole units. */
export function limitOf(name: string, resource: string): Named {
  return { name, valueFrom: { resourceFieldRef: { resource, divisor: "1" } } };
}
