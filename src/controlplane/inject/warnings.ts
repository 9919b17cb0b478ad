/** What is odd about a pod that gets a sidecar, and is done all the same. */
import { isMapping } from "../../document/mapping.ts";
import type { Pod } from "./pod.ts";
import { proxyUser } from "./pod-settings.ts";

/** For people. @param pod without what is injected */
export function podWarnings({ spec }: Pod): readonly string[] {
  const userOf = (value: unknown): unknown => (isMapping(value) ? value["runAsUser"] : undefined);
  const ofPod = userOf(spec["securityContext"]);
  const alike = spec.containers.filter(
    ({ securityContext }) => (userOf(securityContext) ?? ofPod) === proxyUser,
  );
  const policy = spec["dnsPolicy"];
  return [
    ...alike.map(
      ({ name }) =>
        `container ${name} runs as ${proxyUser}, the sidecar's own user, whose traffic is not captured: choose another`,
    ),
    ...(typeof policy === "string" && policy !== "ClusterFirst"
      ? [`dnsPolicy is ${policy}: the sidecar may not find its control plane by its name`]
      : []),
  ];
}
