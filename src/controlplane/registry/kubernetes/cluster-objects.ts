/**
 * What is kept of the objects of a cluster: as much as the mesh is made of. What the API may leave out, or a server that is
 * none may send, is none.
 */
import { isAddress, isHost } from "../../config/forms.ts";
import type { ApiObject } from "../../kubernetes/api.ts";
import { mappingOf, mappingsOf, type ObjectMeta, textOf } from "../../kubernetes/resource.ts";

/** A port of a Service. */
export interface ClusterPort {
  /** Empty where it is the only one. */
  readonly name: string;
  readonly number: number;
  readonly appProtocol: string;
}

/** A Service. */
export interface ClusterService {
  readonly namespace: string;
  readonly name: string;
  readonly createdAtMs: number | undefined;
  readonly type: string;
  /** Of all families, the first one's first; none for a headless one. */
  readonly addresses: readonly string[];
  /** `IPv4` or `IPv6`, the one that counts first. */
  readonly families: readonly string[];
  readonly isHeadless: boolean;
  readonly externalName: string;
  /** Those of TCP. */
  readonly ports: readonly ClusterPort[];
  readonly exportTo: readonly string[] | undefined;
  /** Callers are to call their own node's endpoints only (`internalTrafficPolicy: Local`). */
  readonly isNodeLocal: boolean;
  /** Where whoever is outside calls it: addresses or names of its load balancer. */
  readonly loadBalancer: readonly string[];
}

/** One endpoint of a slice. */
export interface SliceEndpoint {
  readonly address: string;
  readonly isReady: boolean;
  /** It is about to end and answers all the same. */
  readonly isServing: boolean;
  /** Empty where it is none of a pod. */
  readonly pod: string;
  readonly hostname: string;
  readonly node: string;
}

/** An EndpointSlice. */
export interface ClusterSlice {
  readonly namespace: string;
  readonly name: string;
  readonly service: string;
  readonly addressType: string;
  readonly endpoints: readonly SliceEndpoint[];
  /** Number by the name of the service's port. */
  readonly ports: ReadonlyMap<string, number>;
}

/** A Pod that runs, or is about to. */
export interface ClusterPod {
  readonly namespace: string;
  readonly name: string;
  readonly createdAtMs: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** Those of the pod itself: none on the network of its node. */
  readonly addresses: readonly string[];
  readonly node: string;
  readonly proxy: "sidecar" | "router" | "none";
  /** It takes calls, and is not about to end. */
  readonly isReady: boolean;
}

/** A Node. */
export interface ClusterNode {
  readonly name: string;
  /** `region/zone/subzone`, as far as it is known. */
  readonly locality: string;
}

/** Namespaces that see a Service (Istio's annotation). */
const exportToAnnotation = "networking.istio.io/exportTo";

export function keepService(
  { spec: given, status }: ApiObject,
  { namespace, name, createdAtMs, annotations }: ObjectMeta,
): ClusterService {
  const spec = mappingOf(given);
  const listed = textsIn(spec["clusterIPs"]);
  const addresses = (listed.length > 0 ? listed : [textOf(spec["clusterIP"])]).filter(isAddress);
  const exportTo = annotations[exportToAnnotation];
  return {
    namespace,
    name,
    createdAtMs,
    type: textOf(spec["type"]),
    addresses,
    families: textsIn(spec["ipFamilies"]),
    isHeadless: spec["clusterIP"] === "None",
    externalName: textOf(spec["externalName"]),
    ports: mappingsOf(spec["ports"]).flatMap((port): readonly ClusterPort[] => {
      const number = portOf(port["port"]);
      if (number === undefined || (textOf(port["protocol"]) || "TCP") !== "TCP") return [];
      return [{ name: textOf(port["name"]), number, appProtocol: textOf(port["appProtocol"]) }];
    }),
    exportTo: exportTo?.split(",").map((each) => each.trim()),
    isNodeLocal: spec["internalTrafficPolicy"] === "Local",
    loadBalancer: mappingsOf(mappingOf(mappingOf(status)["loadBalancer"])["ingress"])
      .map((each) => textOf(each["ip"]) || textOf(each["hostname"]))
      .filter((each) => isAddress(each) || isHost(each)),
  };
}

export function keepSlice(
  object: ApiObject,
  { namespace, name, labels }: ObjectMeta,
): ClusterSlice | undefined {
  const service = labels["kubernetes.io/service-name"];
  if (service === undefined || service === "") return undefined;
  return {
    namespace,
    name,
    service,
    addressType: textOf(object["addressType"]),
    endpoints: mappingsOf(object["endpoints"]).flatMap(endpointOf),
    ports: new Map(
      mappingsOf(object["ports"]).flatMap((port): readonly (readonly [string, number])[] => {
        const number = portOf(port["port"]);
        if (number === undefined || (textOf(port["protocol"]) || "TCP") !== "TCP") return [];
        return [[textOf(port["name"]), number]];
      }),
    ),
  };
}

/** Of several addresses any may be called, and only the first is (API of EndpointSlice). */
function endpointOf(endpoint: ApiObject): readonly SliceEndpoint[] {
  const [address] = textsIn(endpoint["addresses"]);
  if (address === undefined) return [];
  const { ready, serving } = mappingOf(endpoint["conditions"]);
  const target = mappingOf(endpoint["targetRef"]);
  return [
    {
      address,
      // What is not said is well.
      isReady: ready !== false,
      isServing: serving === true || (serving === undefined && ready !== false),
      pod: target["kind"] === "Pod" ? textOf(target["name"]) : "",
      hostname: textOf(endpoint["hostname"]),
      node: textOf(endpoint["nodeName"]),
    },
  ];
}

/** Whether a workload takes mutual TLS (Istio's injection labels it). */
const tlsModeLabel = "security.istio.io/tlsMode";

export function keepPod(
  { spec: given, status: told, metadata }: ApiObject,
  { namespace, name, labels, createdAtMs }: ObjectMeta,
): ClusterPod | undefined {
  const [spec, status] = [mappingOf(given), mappingOf(told)];
  if (status["phase"] === "Failed" || status["phase"] === "Succeeded") return undefined;
  const onNodesNetwork = spec["hostNetwork"] === true;
  const listed = mappingsOf(status["podIPs"]).map(({ ip }) => textOf(ip));
  const addresses = listed.length > 0 ? listed : [textOf(status["podIP"])];
  return {
    namespace,
    name,
    createdAtMs,
    labels,
    serviceAccount: textOf(spec["serviceAccountName"]) || "default",
    addresses: onNodesNetwork ? [] : addresses.filter(isAddress),
    node: textOf(spec["nodeName"]),
    proxy: proxyOf(spec, labels),
    isReady:
      mappingOf(metadata)["deletionTimestamp"] === undefined &&
      mappingsOf(status["conditions"]).some((each) => each["type"] === "Ready" && each["status"] === "True"),
  };
}

/** By Istio's label; without it by the container that is the proxy, which may be there without an injector. */
function proxyOf(spec: ApiObject, labels: Readonly<Record<string, string>>): ClusterPod["proxy"] {
  const containers = [...mappingsOf(spec["containers"]), ...mappingsOf(spec["initContainers"])];
  const container = containers.find((each) => each["name"] === "istio-proxy");
  if (textsIn(container?.["args"]).includes("router")) return "router";
  const mode = labels[tlsModeLabel];
  if (mode !== undefined) return mode === "istio" ? "sidecar" : "none";
  return container === undefined ? "none" : "sidecar";
}

/** Newer names first. */
const regionLabels = ["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"];
const zoneLabels = ["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"];
const subzoneLabels = ["topology.istio.io/subzone"];

export function keepNode(_: ApiObject, { name, labels }: ObjectMeta): ClusterNode {
  const first = (names: readonly string[]): string =>
    names.map((each) => labels[each] ?? "").find(Boolean) ?? "";
  const parts = [first(regionLabels), first(zoneLabels), first(subzoneLabels)];
  const missing = parts.indexOf("");
  return { name, locality: (missing < 0 ? parts : parts.slice(0, missing)).join("/") };
}

function textsIn(value: unknown): readonly string[] {
  return Array.isArray(value) ? (value as readonly unknown[]).filter((each) => typeof each === "string") : [];
}

function portOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 65_535
    ? value
    : undefined;
}
