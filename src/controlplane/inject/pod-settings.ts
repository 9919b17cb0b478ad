/**
 * What one pod's sidecar is made from: its annotations over its ProxyConfig over the values. Pure.
 */
import { isMapping } from "../../document/mapping.ts";
import { imageOf } from "./image.ts";
import type { WorkloadOwner } from "./owner.ts";
import type { Container, Fields, Texts } from "./pod.ts";
import type { InjectionSettings } from "./settings.ts";
import type { InjectionMesh } from "./settings.ts";
import type { InjectionValues } from "./values.ts";

/** Where the pod is, and whose it is. */
export interface PodPlace {
  readonly namespace: string;
  readonly owner: WorkloadOwner;
  /** Cluster and network, where whoever asks says them. */
  readonly cluster?: string;
  readonly network?: string;
  /** The nodes know native sidecars: they are what is made unless the settings say otherwise. */
  readonly hasNativeSidecars: boolean;
}

/** How traffic is captured. */
export type Interception = "REDIRECT" | "TPROXY" | "NONE";

/** Of one pod. */
export interface PodSettings {
  readonly kind: "sidecar" | "gateway";
  readonly place: PodPlace;
  readonly values: InjectionValues;
  readonly mesh: InjectionMesh;
  readonly labels: Texts;
  readonly annotations: Texts;
  /** Those of the application. */
  readonly containers: readonly Container[];
  /** What the pod itself says of the proxy's container. */
  readonly override: Container | undefined;
  readonly proxyConfig: Fields;
  readonly proxyMetadata: Texts;
  readonly images: { readonly proxy: string; readonly init: string };
  readonly interception: Interception;
  readonly isNative: boolean;
  readonly holdsApplication: boolean;
  /** 0 for none. */
  readonly statusPort: number;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly cluster: string;
  readonly network: string;
  readonly resources: Fields;
}

/** Of whose annotations all can be read. */
export function podSettings(
  given: Pick<
    PodSettings,
    "kind" | "place" | "labels" | "annotations" | "containers" | "override" | "proxyConfig"
  >,
  { values, mesh }: InjectionSettings,
): PodSettings {
  const { kind, annotations, labels, place, proxyConfig, override } = given;
  const { proxy } = values;
  const annotated = (name: string): string | undefined => annotations[`sidecar.istio.io/${name}`];
  const native = annotated("nativeSidecar") ?? values.nativeSidecars;
  const isNative = kind === "sidecar" && (native === "auto" ? place.hasNativeSidecars : native === "true");
  const mode =
    kind === "gateway" ? "NONE" : (annotated("interceptionMode") ?? proxyConfig["interceptionMode"]);
  const interception = mode === "TPROXY" || mode === "NONE" ? mode : "REDIRECT";
  const image = isMapping(proxyConfig["image"]) ? proxyConfig["image"]["imageType"] : undefined;
  const type = annotated("proxyImageType") ?? (typeof image === "string" ? image : values.image.variant);
  const holds = proxyConfig["holdApplicationUntilProxyStarts"];
  const { securityContext: { runAsUser, runAsGroup } = {} } = override ?? {};
  const port = annotations["status.sidecar.istio.io/port"] ?? proxyConfig["statusPort"] ?? proxy.statusPort;
  return {
    ...given,
    values,
    mesh,
    proxyMetadata: isMapping(proxyConfig["proxyMetadata"]) ? (proxyConfig["proxyMetadata"] as Texts) : {},
    images: {
      proxy: imageOf(values.image, annotated("proxyImage") ?? values.image.proxy, type),
      init: imageOf(
        values.image,
        annotated("proxyImage") ?? values.image.init,
        annotated("proxyImageType") ?? values.image.variant,
      ),
    },
    interception,
    isNative,
    holdsApplication:
      !isNative && kind === "sidecar" && (holds === true || (holds === undefined && proxy.holdsApplication)),
    statusPort: Number(port),
    user: {
      // Rules of capture cannot except root.
      uid:
        typeof runAsUser === "number" && runAsUser !== 0 && interception !== "TPROXY" ? runAsUser : proxyUser,
      gid: typeof runAsGroup === "number" && interception !== "TPROXY" ? runAsGroup : proxyUser,
    },
    cluster: place.cluster ?? values.clusterName,
    network: labels["topology.istio.io/network"] ?? place.network ?? values.network,
    resources: annotatedResources(annotations) ?? proxy.resources,
  };
}

/** The user and the group that a sidecar is, and whose traffic is not captured. */
export const proxyUser = 1337;

/** Those alone, where there is one. */
function annotatedResources(annotations: Texts): Fields | undefined {
  const of = (suffix: string): Fields | undefined => {
    const [cpu, memory] = [
      annotations[`sidecar.istio.io/proxyCPU${suffix}`],
      annotations[`sidecar.istio.io/proxyMemory${suffix}`],
    ];
    return cpu === undefined && memory === undefined
      ? undefined
      : { ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) };
  };
  const [requests, limits] = [of(""), of("Limit")];
  if (requests === undefined && limits === undefined) return undefined;
  return { ...(limits && { limits }), ...(requests && { requests }) };
}
