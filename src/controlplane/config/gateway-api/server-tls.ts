/**
 * TLS of a listener, as a server of Istio's Gateway has it.
 */
import type { ConfigObject, GatewayServerSpec, ListenerSpec } from "../objects.ts";
import type { Fault } from "./conditions.ts";
import { gatewayApiGroup } from "../rules/selection.ts";
import { type MeshFacts } from "./mesh-facts.ts";

type ServerTls = NonNullable<GatewayServerSpec["tls"]>;

/** Undefined where nothing can be served. */
export interface ServerTlsOf {
  readonly tls: ServerTls | undefined;
  readonly faults: readonly Fault[];
}

/** Istio's options of a listener. */
const options = {
  mode: "gateway.istio.io/tls-terminate-mode",
  cipherSuites: "gateway.istio.io/tls-cipher-suites",
};

/** A certificate of RSA and one of ECDSA. */
const maxCertificates = 2;

/** A Secret of any namespace: that its owner allows it is checked here. */
export function credentialOf(namespace: string, name: string): string {
  return `kubernetes-gateway://${namespace}/${name}`;
}

export function serverTlsOf(
  gateway: Extract<ConfigObject, { kind: "KubernetesGateway" }>,
  { tls }: ListenerSpec,
  path: string,
  facts: MeshFacts,
): ServerTlsOf {
  const { mode = "Terminate", certificateRefs = [] } = tls ?? {};
  const suites = (tls?.options?.[options.cipherSuites] ?? "").split(",").map((suite) => suite.trim());
  const cipherSuites = suites.some((suite) => suite !== "") ? { cipherSuites: suites } : {};
  if (mode === "Passthrough") return { tls: { mode: "PASSTHROUGH" }, faults: [] };
  const wanted = tls?.options?.[options.mode];
  if (wanted === "ISTIO_MUTUAL") return { tls: { mode: "ISTIO_MUTUAL", ...cipherSuites }, faults: [] };
  const istioMode = wanted === "MUTUAL" || wanted === "OPTIONAL_MUTUAL" ? wanted : "SIMPLE";
  const faults: Fault[] = [];
  const credentials = certificateRefs.flatMap((ref, index): readonly string[] => {
    const { group = "", kind = "Secret", namespace = gateway.namespace, name } = ref;
    const fault = (reason: string, message: string): readonly string[] => {
      faults.push({ path: `${path}.tls.certificateRefs[${index}]`, type: "ResolvedRefs", reason, message });
      return [];
    };
    if (group !== "" || kind !== "Secret")
      return fault("InvalidCertificateRef", `${kind} ${namespace}/${name} is no Secret`);
    const from = { group: gatewayApiGroup, kind: "Gateway", namespace: gateway.namespace };
    if (!facts.isAllowed({ from, to: { group, kind, namespace, name } })) {
      const message = `Secret ${namespace}/${name} is not for Gateways of ${gateway.namespace}: allow it by a ReferenceGrant in ${namespace}`;
      return fault("RefNotPermitted", message);
    }
    const { privateKeyPem } = facts.secret(namespace, name) ?? {};
    if (privateKeyPem === undefined)
      return fault(
        "InvalidCertificateRef",
        facts.whyMissing(
          "Secret",
          `${namespace}/${name}`,
          `${namespace}/${name} is no Secret with a certificate and its key`,
        ),
      );
    return [credentialOf(namespace, name)];
  });
  if (certificateRefs.length === 0) {
    const at = tls === undefined ? `${path}.tls` : `${path}.tls.certificateRefs`;
    const message = "is missing, which TLS that ends at the gateway needs: this listener is not served";
    faults.push({ path: at, type: "ResolvedRefs", reason: "InvalidCertificateRef", message });
  }
  const [first, second] = credentials;
  if (credentials.length > maxCertificates) {
    const message = `has more than ${maxCertificates} certificates: keep one of RSA and one of ECDSA`;
    faults.push({
      path: `${path}.tls.certificateRefs`,
      type: "ResolvedRefs",
      reason: "InvalidCertificateRef",
      message,
    });
    return { tls: undefined, faults };
  }
  if (first === undefined) return { tls: undefined, faults };
  const names = second === undefined ? { credentialName: first } : { credentialNames: [first, second] };
  return { tls: { mode: istioMode, ...names, ...cipherSuites }, faults };
}
