/** Labels and annotations that a pod gets: what it is called in telemetry, that it speaks mutual TLS, and what a CNI plugin needs. */
import { jsonValue } from "../../../document/json.ts";
import { configurationLimits } from "../../../document/limits.ts";
import { isMapping } from "../../../document/mapping.ts";
import type { Texts } from "../pod.ts";
import type { PodSettings } from "../pod-settings.ts";
import { trafficOf, type TrafficName } from "./capture.ts";

/** What the pod has of them stays. */
export function templateLabels({ kind, labels, place, network, proxyMetadata }: PodSettings): Texts {
  const first = (...names: readonly string[]): string | undefined =>
    names.map((name) => labels[name]).find((value) => value !== undefined && value !== "");
  const named = first("service.istio.io/canonical-name", "app.kubernetes.io/name", "app") ?? place.owner.name;
  const version = first("service.istio.io/canonical-revision", "app.kubernetes.io/version", "version");
  const hasTunnel = proxyMetadata["ISTIO_META_ENABLE_HBONE"] === "true";
  return {
    ...(kind === "sidecar"
      ? { "security.istio.io/tlsMode": first("security.istio.io/tlsMode") ?? "istio" }
      : {}),
    ...(hasTunnel ? { "networking.istio.io/tunnel": first("networking.istio.io/tunnel") ?? "http" } : {}),
    ...(named === ""
      ? {}
      : { "service.istio.io/canonical-name": named.slice(0, 63).replace(/^[-_.]+|[-_.]+$/g, "") }),
    "service.istio.io/canonical-revision": version ?? "latest",
    ...(network === "" ? {} : { "topology.istio.io/network": network }),
  };
}

export function templateAnnotations(settings: PodSettings): Texts {
  const { values, annotations, containers } = settings;
  const [first] = containers;
  return {
    "istio.io/rev": values.revision === "" ? "default" : values.revision,
    ...(first === undefined
      ? {}
      : {
          "kubectl.kubernetes.io/default-logs-container":
            annotations["kubectl.kubernetes.io/default-logs-container"] ?? first.name,
          "kubectl.kubernetes.io/default-container":
            annotations["kubectl.kubernetes.io/default-container"] ?? first.name,
        }),
    ...(values.cni.enabled && settings.kind === "sidecar" ? cniAnnotations(settings) : {}),
  };
}

/** Istio's CNI plugin reads the pod's annotations alone. */
function cniAnnotations(settings: PodSettings): Texts {
  const { values, annotations, interception } = settings;
  const traffic = trafficOf(settings);
  const always: readonly TrafficName[] = ["includeInboundPorts", "excludeInboundPorts"];
  const told = (Object.keys(traffic) as TrafficName[]).filter(
    (name) => always.includes(name) || traffic[name] !== "",
  );
  const networks = "k8s.v1.cni.cncf.io/networks";
  return {
    ...(values.cni.isMultus ? { [networks]: withNetwork(annotations[networks] ?? "") } : {}),
    "sidecar.istio.io/interceptionMode": interception,
    ...Object.fromEntries(told.map((name) => [`traffic.sidecar.istio.io/${name}`, traffic[name]])),
  };
}

/** The plugin's own network beside those that Multus (a CNI plugin of several networks) is told of: names, or JSON. */
function withNetwork(given: string): string {
  const own = { namespace: "default", name: "istio-cni" };
  const written = `${own.namespace}/${own.name}`;
  if (given.trim() === "") return written;
  const list = jsonValue(given, configurationLimits);
  if (!Array.isArray(list)) {
    const names = given.split(",").map((name) => name.trim());
    return names.includes(written) ? given : `${given}, ${written}`;
  }
  const known = (list as readonly unknown[]).some(
    (each) => isMapping(each) && each["name"] === own.name && each["namespace"] === own.namespace,
  );
  return known ? given : JSON.stringify([...(list as readonly unknown[]), own]);
}
