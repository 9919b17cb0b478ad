/** In which order the kubelet starts the pod's containers. Pure. */
import type { Container, Pod } from "./pod.ts";

/**
 * A native sidecar is there before every other init container, capture before it. Without one what is captured would reach nobody
 * while init containers run: capture is the last of them, and its proof the first.
 */
export function ordered(pod: Pod, holdsApplication: boolean): Pod {
  const { containers, initContainers } = pod.spec;
  const isNative = initContainers?.some(({ name }) => name === "istio-proxy") ?? false;
  const [first, last] = isNative
    ? [["istio-init", "istio-validation", "istio-proxy"], []]
    : [["istio-validation"], ["istio-init"]];
  const { initContainers: _, ...rest } = pod.spec;
  return {
    ...pod,
    spec: {
      ...rest,
      ...(initContainers && initContainers.length > 0
        ? { initContainers: moved(initContainers, first, last) }
        : {}),
      // Whoever names no container means the application's.
      containers: holdsApplication
        ? moved(containers, ["istio-proxy"], [])
        : moved(containers, [], ["istio-proxy"]),
    },
  };
}

function moved(
  containers: readonly Container[],
  first: readonly string[],
  last: readonly string[],
): readonly Container[] {
  const of = (names: readonly string[]): readonly Container[] =>
    names.flatMap((name) => containers.filter((each) => each.name === name));
  return [
    ...of(first),
    ...containers.filter(({ name }) => !first.includes(name) && !last.includes(name)),
    ...of(last),
  ];
}
