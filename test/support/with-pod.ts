/** Objects with other pods in them. */
import type { Fields } from "../../src/controlplane/inject/pod.ts";
import { podTemplatePaths } from "../../src/controlplane/inject/workload.ts";

/** The object with this pod in the place of its own. */
export function withPod(object: Fields, pod: object): Fields {
  const path = podTemplatePaths[String(object["kind"])] ?? [];
  if (path.length === 0) return { ...object, ...pod };
  const placed = (value: unknown, [name, ...rest]: readonly string[]): unknown =>
    name === undefined ? pod : { ...(value as object), [name]: placed((value as Fields)[name], rest) };
  return placed(object, path) as Fields;
}
