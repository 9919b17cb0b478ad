/**
 * One part of a pod laid over another, as Kubernetes' strategic merge patch does it for these fields (API conventions, "Strategic
 * Merge Patch"): mappings field by field, lists of what has a name element by element, everything else as a whole.
 *
 * Of what is one choice (the source of a variable or volume, the action of a probe) the upper one's counts: the API refuses two.
 */
import { isMapping } from "../../document/mapping.ts";
import type { Fields } from "./pod.ts";

/** By what elements of a list are the same. */
const keys: Readonly<Record<string, readonly string[]>> = {
  containers: ["name"],
  initContainers: ["name"],
  env: ["name"],
  volumes: ["name"],
  imagePullSecrets: ["name"],
  volumeMounts: ["mountPath"],
  volumeDevices: ["devicePath"],
  ports: ["containerPort", "protocol"],
};

/** An element of these lists is replaced: its fields are one choice. */
const replaced: readonly string[] = ["env", "volumes"];

/** What a probe or a hook does. */
const actions: readonly string[] = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];

/** What stands where nobody writes it. */
const defaults: Fields = { protocol: "TCP" };

/** `upper` laid over `lower`; what only one of them has stays. */
export function merged<T extends Fields>(lower: T, upper: Fields): T {
  const chosen = actions.some((action) => action in upper);
  const kept = chosen
    ? Object.fromEntries(Object.entries(lower).filter(([name]) => !actions.includes(name) || name in upper))
    : lower;
  const over = Object.entries(upper).map(([name, value]) => [name, mergedValue(name, kept[name], value)]);
  return { ...kept, ...Object.fromEntries(over) } as T;
}

function mergedValue(name: string, lower: unknown, upper: unknown): unknown {
  if (isMapping(lower) && isMapping(upper)) return merged(lower, upper);
  const by = Object.hasOwn(keys, name) ? keys[name] : undefined;
  if (by === undefined || !Array.isArray(lower) || !Array.isArray(upper)) return upper;
  return mergedList(lower as readonly Fields[], upper as readonly Fields[], {
    by,
    isReplaced: replaced.includes(name),
  });
}

/** Elements of both in the place where `lower` has them, then those that are new. */
function mergedList(
  lower: readonly Fields[],
  upper: readonly Fields[],
  { by, isReplaced }: { readonly by: readonly string[]; readonly isReplaced: boolean },
): readonly Fields[] {
  const keyOf = (element: Fields): string =>
    JSON.stringify(by.map((name) => element[name] ?? defaults[name] ?? null));
  const over = new Map(upper.map((element) => [keyOf(element), element]));
  const known = new Set(lower.map(keyOf));
  return [
    ...lower.map((element) => {
      const found = over.get(keyOf(element));
      if (found === undefined) return element;
      return isReplaced ? found : merged(element, found);
    }),
    ...[...over].flatMap(([key, element]) => (known.has(key) ? [] : [element])),
  ];
}
