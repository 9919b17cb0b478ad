/**
 * The flags of `outrider discovery`.
 */
import { type DurationRange, portsOrNone, someDuration } from "../schema/range.ts";
import { choice, duration, flag, integer, optionalText, text } from "../schema/setting.ts";

/** A timer of Node.js stands behind it, with a tenth more. */
const connectionAge: DurationRange = { leastMs: 1_000, mostMs: 1_728_000_000 };

/** Longer is not waited for a folder that may be read. */
const debounce: DurationRange = { leastMs: 0, mostMs: 3_600_000 };

/** In the order in which help lists them. */
export const discoveryFlags = {
  configDir: text("./mesh", "Folder of Istio YAML; changes are picked up."),
  debounceAfter: duration(
    100,
    debounce,
    "Quiet time after a change of the folder, before it is read and pushed: changes that come together are one push.",
  ),
  debounceMax: duration(
    10_000,
    debounce,
    "A folder that never comes to rest is read and pushed all the same after so long.",
  ),
  meshConfig: optionalText(
    "File with the mesh's settings (MeshConfig), followed as the folder is (default: those of the ConfigMap istio of istio-system in the folder).",
  ),
  registries: text(
    "",
    "Registries whose services are joined with those of the folder, comma-separated: Kubernetes, Consul, Nomad. Where several have an object, the folder's counts, then those of Kubernetes, Consul and Nomad in this order.",
  ),
  kubeconfig: optionalText(
    "Kubeconfig of the cluster that is followed with --registries=Kubernetes (default: the service account of the pod).",
  ),
  kubeContext: optionalText("Context of that file (default: its current one)."),
  revision: text(
    "default",
    "Revision of this control plane, of several in a cluster: its certificate has the name istiod-REVISION.istio-system.svc too.",
  ),
  injectionValues: optionalText(
    "File with the values that pods are injected by, in the names of Istio's chart, followed as the folder is (default: the chart's own values, and the image of this release).",
  ),
  domain: text("cluster.local", "Domain of the cluster's services: NAME.NAMESPACE.svc.DOMAIN."),
  consulserverURL: optionalText("URL of Consul's agent (default http://127.0.0.1:8500)."),
  consulTokenFile: optionalText(
    "File with the ACL token for Consul, which may be replaced at any time; it has to be able to read nodes and services.",
  ),
  consulCaFile: optionalText("Roots for Consul over https, in PEM (default: those that Node.js brings)."),
  consulDatacenter: optionalText("Datacentre of Consul to ask for (default: the agent's own)."),
  nomadAddress: optionalText("URL of Nomad's agent (default http://127.0.0.1:4646)."),
  nomadTokenFile: optionalText(
    "File with the ACL token for Nomad, which may be replaced at any time; it has to have read-job in the namespaces that are followed.",
  ),
  nomadCaFile: optionalText("Roots for Nomad over https, in PEM (default: those that Node.js brings)."),
  nomadNamespace: optionalText("Namespace of Nomad to follow (default: all that the token may read)."),
  nomadRegion: optionalText("Region of Nomad to ask for (default: the agent's own)."),
  configSources: text(
    "",
    "Other control planes, istiod or outrider discovery, whose configuration is joined with this one's (MCP over xDS), comma-separated: xds://HOST:PORT. Where several have an object, the folder's counts, then Kubernetes', then theirs in this order.",
  ),
  configSourcesCaFile: optionalText(
    "Roots for their certificates, in PEM (default: those that Node.js brings).",
  ),
  configSourcesServerName: optionalText("Name in their certificates (default: the host)."),
  configSourcesTokenFile: optionalText(
    "File with the token that proves to them who asks, of a service account of istio-system, which may be replaced at any time.",
  ),
  configSourcesPlaintext: flag(false, "Ask them in plain text, without a token: their port 15010."),
  workloadEntryGracePeriod: duration(
    10_000,
    someDuration,
    "How long a machine that is registered by a WorkloadGroup stays when its proxy is gone, before its WorkloadEntry is.",
  ),
  stateDir: optionalText(
    "Folder of the self-signed root and the demo token key, made with mode 0700 (default ./.outrider where there is one, else $XDG_STATE_HOME/outrider).",
  ),
  trustDomain: text("cluster.local", "SPIFFE trust domain."),
  trustDomainAliases: text(
    "",
    "Trust domains whose identities are accepted as the mesh's own, comma-separated: the old and the new one of a migration.",
  ),
  host: text("127.0.0.1", "Address that the ports listen on, but for the one in plain text."),
  secureGrpcPort: integer(15012, portsOrNone, "Port of discovery and CA over TLS."),
  grpcPort: integer(
    15010,
    portsOrNone,
    "Port of discovery in plain text, without authentication; see --plainGrpc.",
  ),
  plainGrpc: choice(
    ["loopback", "host", "off"],
    "loopback",
    "Who reaches the port in plain text: loopback, host (whoever reaches --host, who then reads what any proxy is told), or off. Nobody changes anything there: reports of health are taken on the port with TLS only.",
  ),
  httpPort: integer(8080, portsOrNone, "Port of /ready and /metrics, and of /debug for loopback."),
  httpsPort: integer(
    15017,
    portsOrNone,
    "Port of the webhook that checks objects before the cluster takes them, with --registries=Kubernetes.",
  ),
  keepaliveMaxServerConnectionAge: duration(
    1_800_000,
    connectionAge,
    "After so long, give or take a tenth, a proxy is asked to connect anew (GOAWAY), so that proxies spread over control planes that were added since.",
  ),
  rootCaDir: optionalText(
    "Folder of a plugged-in CA: ca-cert.pem, ca-key.pem, cert-chain.pem, root-cert.pem.",
  ),
  jwksFile: optionalText(
    "JWKS that tokens are checked against (default: the demo key's; with --registries=Kubernetes, and no --jwtIssuer either, the cluster reviews them).",
  ),
  jwtIssuer: optionalText("Issuer that tokens must have (default: the demo issuer)."),
  proxyBinding: choice(
    ["identity", "workload"],
    "identity",
    "What a proxy must be besides what it says: identity takes namespace, service account and pod from its token, and believes labels and addresses; workload also demands a WorkloadEntry or endpoint of that identity in the folder, and takes labels and addresses from there.",
  ),
  trustProxyAddresses: flag(
    false,
    "Take reports of health for any address that a proxy says it has, not only for the one that it connects from: for proxies behind NAT.",
  ),
  tokenAudiences: text("istio-ca", "Accepted audiences, comma-separated."),
  defaultWorkloadTtl: duration(86_400_000, someDuration, "Certificate lifetime when none is asked for."),
  maxWorkloadTtl: duration(7_776_000_000, someDuration, "Longest certificate lifetime."),
} as const;

/** Istio's own variables of the same meaning: they count where neither the flag nor its own variable is given. */
export const istioVariables: Readonly<Record<string, string>> = {
  debounceAfter: "PILOT_DEBOUNCE_AFTER",
  debounceMax: "PILOT_DEBOUNCE_MAX",
  revision: "REVISION",
  workloadEntryGracePeriod: "PILOT_WORKLOAD_ENTRY_GRACE_PERIOD",
};
