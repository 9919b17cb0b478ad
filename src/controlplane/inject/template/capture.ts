/**
 * The container that brings the pod's traffic to Envoy, or, where Istio's CNI plugin has done that, proves it. Its arguments are
 * those of `istio-iptables`.
 */
import type { Container } from "../pod.ts";
import { type PodSettings, proxyUser } from "../pod-settings.ts";
import { valueOf } from "./variables.ts";

/** Undefined where nothing is captured. */
export function captureContainer(settings: PodSettings): Container | undefined {
  const { values, images, interception, resources, proxyMetadata, user } = settings;
  if (interception === "NONE") return undefined;
  const { cni, proxy, image } = values;
  return {
    name: cni.enabled ? "istio-validation" : "istio-init",
    image: images.init,
    ...(image.pullPolicy === "" ? {} : { imagePullPolicy: image.pullPolicy }),
    args: captureArguments(settings),
    ...(Object.keys(proxyMetadata).length === 0
      ? {}
      : { env: Object.entries(proxyMetadata).map(([name, value]) => valueOf(name, value)) }),
    resources,
    securityContext: {
      allowPrivilegeEscalation: proxy.privileged,
      privileged: proxy.privileged,
      capabilities: { ...(cni.enabled ? {} : { add: ["NET_ADMIN", "NET_RAW"] }), drop: ["ALL"] },
      ...(cni.enabled
        ? {
            readOnlyRootFilesystem: true,
            runAsGroup: user.gid,
            runAsNonRoot: true,
            runAsUser: user.uid,
          }
        : // iptables' lock is a file; nft needs none.
          { readOnlyRootFilesystem: false, runAsGroup: 0, runAsNonRoot: false, runAsUser: 0 }),
      ...(proxy.seccompProfile && { seccompProfile: proxy.seccompProfile }),
    },
  };
}

function captureArguments({
  annotations,
  values,
  interception,
  statusPort,
  user,
}: PodSettings): readonly string[] {
  const { cni } = values;
  const traffic = trafficOf({ annotations, values, statusPort });
  const interfaces =
    annotations["istio.io/reroute-virtual-interfaces"] ??
    annotations["traffic.sidecar.istio.io/kubevirtInterfaces"];
  const excluded = annotations["traffic.sidecar.istio.io/excludeInterfaces"];
  return [
    "istio-iptables",
    ...["-p", "15001", "-z", "15006"],
    ...["-u", String(interception === "TPROXY" ? proxyUser : user.uid), "-m", interception],
    ...["-i", traffic.includeOutboundIPRanges, "-x", traffic.excludeOutboundIPRanges],
    ...["-b", traffic.includeInboundPorts],
    ...["-d", ["15090,15021", traffic.excludeInboundPorts].filter((part) => part !== "").join(",")],
    ...(traffic.includeOutboundPorts === "" ? [] : ["-q", traffic.includeOutboundPorts]),
    ...(traffic.excludeOutboundPorts === "" ? [] : ["-o", traffic.excludeOutboundPorts]),
    ...(interfaces === undefined ? [] : ["-k", interfaces]),
    ...(excluded === undefined ? [] : ["-c", excluded]),
    `--log_output_level=${annotations["sidecar.istio.io/agentLogLevel"] ?? values.agentLogLevel}`,
    ...(values.logAsJson ? ["--log_as_json"] : []),
    ...(cni.enabled ? ["--run-validation", "--skip-rule-apply"] : []),
    ...(!cni.enabled && values.forceApplyIptables ? ["--force-apply"] : []),
    ...(values.nativeNftables ? ["--native-nftables"] : []),
  ];
}

/** What is captured and what is not, by the names of the annotations. */
export function trafficOf({
  annotations,
  values: { proxy },
  statusPort,
}: Pick<PodSettings, "annotations" | "values" | "statusPort">): Readonly<Record<TrafficName, string>> {
  const of = (name: TrafficName, fallback: string): string =>
    annotations[`traffic.sidecar.istio.io/${name}`] ?? fallback;
  return {
    includeOutboundIPRanges: of("includeOutboundIPRanges", proxy.includeIpRanges),
    excludeOutboundIPRanges: of("excludeOutboundIPRanges", proxy.excludeIpRanges),
    includeInboundPorts: of("includeInboundPorts", proxy.includeInboundPorts),
    excludeInboundPorts: withPort(of("excludeInboundPorts", proxy.excludeInboundPorts), statusPort),
    includeOutboundPorts: of("includeOutboundPorts", proxy.includeOutboundPorts),
    excludeOutboundPorts: of("excludeOutboundPorts", proxy.excludeOutboundPorts),
  };
}

/** Of `traffic.sidecar.istio.io/…`. */
export type TrafficName =
  | "includeOutboundIPRanges"
  | "excludeOutboundIPRanges"
  | "includeInboundPorts"
  | "excludeInboundPorts"
  | "includeOutboundPorts"
  | "excludeOutboundPorts";

/** The kubelet asks the agent itself. */
function withPort(ports: string, port: number): string {
  const list = ports
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
  return (port === 0 || list.includes(String(port)) ? list : [...list, String(port)]).join(",");
}
