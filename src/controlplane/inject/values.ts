/**
 * The values that injection is set up with: those of Istio's Helm chart `istiod`, with its names and defaults, so that a mesh's own
 * file can be given as it is. Fields that say nothing of injection are passed over.
 */
import type { Fields, InjectionProblem, Texts } from "./pod.ts";
import { type LabelSelector, readSelector } from "./selector.ts";
import { ValueReader } from "./value-reader.ts";

/** When sidecars are native ones (`restartPolicy: Always`); `auto` by the versions of the cluster's nodes. */
export type NativeSidecars = "auto" | "true" | "false";

/** As injection acts on them. */
export interface InjectionValues {
  readonly revision: string;
  readonly image: ImageValues;
  readonly istioNamespace: string;
  /** Of the CA; empty for the control plane's own. */
  readonly caAddress: string;
  readonly certProvider: string;
  readonly clusterName: string;
  readonly network: string;
  readonly meshId: string;
  readonly trustDomain: string;
  readonly tokenAudience: string;
  readonly trustBundleName: string;
  /** Empty for none. */
  readonly crlConfigMap: string;
  readonly logAsJson: boolean;
  readonly agentLogLevel: string;
  readonly stsPort: number;
  readonly nativeNftables: boolean;
  readonly nativeSidecars: NativeSidecars;
  readonly fsGroup: boolean;
  readonly cni: { readonly enabled: boolean; readonly isMultus: boolean };
  readonly forceApplyIptables: boolean;
  readonly proxy: ProxyValues;
  readonly rewritesProbes: boolean;
  readonly neverInject: readonly LabelSelector[];
  readonly alwaysInject: readonly LabelSelector[];
  readonly injectedAnnotations: Texts;
  /** Overlays of pods by their names, as YAML. */
  readonly templates: Texts;
  readonly defaultTemplates: readonly string[];
}

/** Of what the image's name is made. */
export interface ImageValues {
  readonly hub: string;
  readonly tag: string;
  readonly variant: string;
  readonly proxy: string;
  readonly init: string;
  readonly pullPolicy: string;
  readonly pullSecrets: readonly string[];
}

/** `global.proxy`. */
export interface ProxyValues {
  readonly clusterDomain: string;
  readonly logLevel: string;
  readonly componentLogLevel: string;
  readonly outlierLogPath: string;
  readonly statusPort: number;
  readonly privileged: boolean;
  readonly capNetBindService: boolean;
  readonly resources: Fields;
  readonly lifecycle: Fields | undefined;
  readonly seccompProfile: Fields | undefined;
  readonly holdsApplication: boolean;
  readonly includeIpRanges: string;
  readonly excludeIpRanges: string;
  readonly includeInboundPorts: string;
  readonly excludeInboundPorts: string;
  readonly includeOutboundPorts: string;
  readonly excludeOutboundPorts: string;
  readonly readiness: {
    readonly initialDelaySeconds: number;
    readonly periodSeconds: number;
    readonly failureThreshold: number;
  };
  readonly startup: { readonly enabled: boolean; readonly failureThreshold: number };
}

/** Of a processor and of memory, as Istio's chart has them. */
const usualResources: Fields = {
  limits: { cpu: "2000m", memory: "1024Mi" },
  requests: { cpu: "100m", memory: "128Mi" },
};

const isText = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** All of them, and everything that is wrong with what is given. @param release tag of the image unless told */
export function readInjectionValues(
  given: Fields,
  release: string,
): { readonly values: InjectionValues; readonly problems: readonly InjectionProblem[] } {
  const read = new ValueReader(given);
  const webhook = "sidecarInjectorWebhook";
  const native = read.text("pilot.env.ENABLE_NATIVE_SIDECARS", "auto");
  if (!["auto", "true", "false"].includes(native) && typeof native === "string")
    read.flag("pilot.env.ENABLE_NATIVE_SIDECARS", false);
  const selectors = (name: string): readonly LabelSelector[] =>
    read.list(`${webhook}.${name}`, readSelector, "a label selector such as {matchLabels: {app: web}}");
  const values: InjectionValues = {
    revision: read.text("revision"),
    image: {
      hub: read.text("global.hub"),
      tag: read.text("global.tag", release),
      variant: read.text("global.variant"),
      proxy: read.text("global.proxy.image", "outrider"),
      init: read.text("global.proxy_init.image", read.text("global.proxy.image", "outrider")),
      pullPolicy: read.text("global.imagePullPolicy"),
      pullSecrets: read.list("global.imagePullSecrets", isText, "the name of a Secret"),
    },
    istioNamespace: read.text("global.istioNamespace", "istio-system"),
    caAddress: read.text("global.caAddress"),
    certProvider: read.text("global.pilotCertProvider", "istiod"),
    clusterName: read.text("global.multiCluster.clusterName"),
    network: read.text("global.network"),
    meshId: read.text("global.meshID"),
    trustDomain: read.text("global.trustDomain", "cluster.local"),
    tokenAudience: read.text("global.sds.token.aud", "istio-ca"),
    trustBundleName: read.text("global.trustBundleName", "istio-ca-root-cert"),
    crlConfigMap: read.text("pilot.crlConfigMapName"),
    logAsJson: read.flag("global.logAsJson", false),
    agentLogLevel: read.text("global.logging.level", "default:info"),
    stsPort: read.count("global.sts.servicePort", 0),
    nativeNftables: read.flag("global.nativeNftables", false),
    nativeSidecars: native === "true" || native === "false" ? native : "auto",
    fsGroup: read.flag("pilot.env.ENABLE_LEGACY_FSGROUP_INJECTION", false),
    cni: {
      enabled: read.flag("pilot.cni.enabled", read.flag("istio_cni.enabled", false)),
      isMultus: read.text("pilot.cni.provider", read.text("istio_cni.provider")) === "multus",
    },
    forceApplyIptables: read.flag("global.proxy_init.forceApplyIptables", false),
    proxy: readProxyValues(read),
    rewritesProbes: read.flag(`${webhook}.rewriteAppHTTPProbe`, true),
    neverInject: selectors("neverInjectSelector"),
    alwaysInject: selectors("alwaysInjectSelector"),
    injectedAnnotations: read.texts(`${webhook}.injectedAnnotations`),
    templates: read.texts(`${webhook}.templates`),
    defaultTemplates: read.list(`${webhook}.defaultTemplates`, isText, "the name of a template"),
  };
  return { values, problems: read.problems };
}

function readProxyValues(read: ValueReader): ProxyValues {
  const proxy = "global.proxy";
  return {
    clusterDomain: read.text(`${proxy}.clusterDomain`, "cluster.local"),
    logLevel: read.text(`${proxy}.logLevel`, "warning"),
    componentLogLevel: read.text(`${proxy}.componentLogLevel`, "misc:error"),
    outlierLogPath: read.text(`${proxy}.outlierLogPath`),
    statusPort: read.count(`${proxy}.statusPort`, 15_020),
    privileged: read.flag(`${proxy}.privileged`, false),
    capNetBindService: read.flag(`${proxy}.capNetBindService`, false),
    resources: read.mapping(`${proxy}.resources`) ?? usualResources,
    lifecycle: read.mapping(`${proxy}.lifecycle`),
    seccompProfile: read.mapping(`${proxy}.seccompProfile`),
    holdsApplication: read.flag(`${proxy}.holdApplicationUntilProxyStarts`, false),
    includeIpRanges: read.text(`${proxy}.includeIPRanges`, "*"),
    excludeIpRanges: read.text(`${proxy}.excludeIPRanges`),
    includeInboundPorts: read.text(`${proxy}.includeInboundPorts`, "*"),
    excludeInboundPorts: read.text(`${proxy}.excludeInboundPorts`),
    includeOutboundPorts: read.text(`${proxy}.includeOutboundPorts`),
    excludeOutboundPorts: read.text(`${proxy}.excludeOutboundPorts`),
    readiness: {
      initialDelaySeconds: read.count(`${proxy}.readinessInitialDelaySeconds`, 0),
      periodSeconds: read.count(`${proxy}.readinessPeriodSeconds`, 15),
      failureThreshold: read.count(`${proxy}.readinessFailureThreshold`, 4),
    },
    startup: {
      enabled: read.flag(`${proxy}.startupProbe.enabled`, true),
      failureThreshold: read.count(`${proxy}.startupProbe.failureThreshold`, 600),
    },
  };
}
