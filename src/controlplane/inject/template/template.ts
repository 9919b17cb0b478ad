/** All that a pod gets, before it is laid over the pod. */
import type { Container, Fields, Named, PodMetadata } from "../pod.ts";
import { type PodSettings, proxyUser } from "../pod-settings.ts";
import { captureContainer } from "./capture.ts";
import { templateAnnotations, templateLabels } from "./metadata.ts";
import { proxyContainer } from "./proxy.ts";
import { proxyVolumes } from "./volumes.ts";

/** A part of a pod. */
export interface Template extends Fields {
  readonly metadata: PodMetadata;
  readonly spec: Fields & {
    readonly initContainers: readonly Container[];
    readonly containers: readonly Container[];
    readonly volumes: readonly Named[];
    readonly imagePullSecrets: readonly Named[];
  };
}

/** Of a sidecar, or of a gateway, which is a pod of its own. */
export function templateOf(settings: PodSettings): Template {
  const { values, isNative } = settings;
  const { volumes, volumeMounts } = proxyVolumes(settings);
  const proxy: Container = { ...proxyContainer(settings), volumeMounts };
  const capture = captureContainer(settings);
  return {
    metadata: { labels: templateLabels(settings), annotations: templateAnnotations(settings) },
    spec: {
      ...securityContextOf(settings),
      initContainers: [...(capture === undefined ? [] : [capture]), ...(isNative ? [proxy] : [])],
      containers: isNative ? [] : [proxy],
      volumes,
      imagePullSecrets: values.image.pullSecrets.map((name) => ({ name })),
    },
  };
}

function securityContextOf({ kind, values }: PodSettings): Fields {
  // A gateway listens on 80 and 443 as nobody in particular.
  if (kind === "gateway")
    return { securityContext: { sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }] } };
  return values.fsGroup ? { securityContext: { fsGroup: proxyUser } } : {};
}
