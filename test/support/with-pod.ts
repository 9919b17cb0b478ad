/** Objects with other pods in them. */
import type { Fields } from "../../src/controlplane/inject/pod.ts";
import { podTemplatePaths } from "../../src/controlplane/inject/workload.ts";

/** The object with this pod in the place of its own. */
export function withPod(object: Fields, pod: object): Fields {
  const path = podTemplatePaths[String(object["kind"])] ?? [];
  const placed = (value: unknown, [name, ...rest]: readonly string[]): unknown =>
    name === undefined
      ? { ...(path.length === 0 ? (value as object) : {}), ...pod }
      : { ...(value as object), [name]: placed((value as Fields)[name], rest) };
  return placed(object, path) as Fields;
}
