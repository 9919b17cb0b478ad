/**
 * The certificates of a gateway's servers that are in Secrets (SDS over ADS).
 */
import type { SecretJson } from "../../../proto/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { type Endpoint, type Secret, selects } from "../../model/model.ts";
import type { ProxyView, RoutedModel } from "../view.ts";
import { credentialsOf, secretNames } from "./server-tls.ts";
import { endsTls, type GatewayServer, gatewayPorts } from "./servers.ts";

/**
 * Those that its Gateways name, of the router's own namespace: for a router that has proven to be of it, and for nobody
 * else. Istio asks Kubernetes whether the service account may list Secrets; here the folder, or the cluster's pods, say who
 * the gateway is.
 */
export function generateSecrets(view: ProxyView): readonly SecretJson[] {
  const { proxy, routed } = view;
  if (routed === undefined || proxy.provenAccount === "") return [];
  const named = gatewayPorts(view).flatMap(({ servers }) =>
    servers.flatMap((server) => {
      const standing = endsTls(server.spec) ? standingOf(server, routed, proxy) : "foreign";
      if (standing === "foreign") return [];
      return credentialsOf(server.spec.tls ?? {}).map((credential) => ({ credential, standing }));
    }),
  );
  const credentials = named.map(({ credential }) => credential);
  const shown = new Set(
    named.flatMap(({ credential, standing }) => (standing === "shown" ? [credential] : [])),
  );
  // Another namespace is named only where its owner allows it, which is decided where the name is made.
  const find = (credential: string, isShown: boolean): Secret | undefined => {
    const [name, namespace = proxy.namespace] = credential
      .replace(/^.*:\/\//, "")
      .split("/")
      .toReversed();
    return routed.secrets.find(
      (secret) => secret.namespace === namespace && secret.name === name && (isShown || !secret.isInCluster),
    );
  };
  return [...new Set(credentials)].flatMap((credential): readonly SecretJson[] => {
    const isShown = shown.has(credential);
    const secret = find(credential, isShown);
    const { certificatePem, privateKeyPem } = secret ?? {};
    const rootPem = find(`${credential}-cacert`, isShown)?.rootPem ?? secret?.rootPem;
    return [
      ...(certificatePem === undefined || privateKeyPem === undefined
        ? []
        : [
            {
              name: secretNames.certificate(credential),
              tlsCertificate: {
                certificateChain: { inlineBytes: base64(certificatePem) },
                privateKey: { inlineBytes: base64(privateKeyPem) },
              },
            },
          ]),
      ...(rootPem === undefined
        ? []
        : [
            {
              name: secretNames.root(credential),
              validationContext: { trustedCa: { inlineBytes: base64(rootPem) } },
            },
          ]),
    ];
  });
}

/** Whether an identity is known to be a gateway's: nobody says whose it is where it is `undeclared`. */
type Standing = "shown" | "undeclared" | "foreign";

/**
 * Whoever has an identity of the namespace may say that it is a router with these labels. Where the folder declares workloads
 * with them, it is one of their service accounts that has the keys; a cluster shows all of its pods, so that there one of
 * which it shows none has no keys of it.
 */
function standingOf(
  { selector, services }: GatewayServer,
  model: RoutedModel,
  proxy: ProxyView["proxy"],
): Standing {
  const isOwn = ({ namespace, serviceAccount }: Endpoint): boolean =>
    namespace === proxy.namespace && serviceAccount !== "";
  const own = [...model.workloads, ...model.gatewayPods].filter(isOwn);
  const addresses = model.services
    .filter(({ host, namespace }) => namespace === proxy.namespace && services.includes(host))
    .flatMap(({ endpoints }) => endpoints);
  // A service of a cluster does not say whose its routers are: their pods do.
  const behind = [
    ...addresses.filter(({ serviceAccount }) => serviceAccount !== ""),
    ...own.filter(({ address }) => addresses.some((each) => each.address === address)),
  ];
  const isForAll = Object.keys(selector).length === 0;
  const declared = [...own.filter(({ labels }) => isForAll || selects(selector, labels)), ...behind];
  if (declared.some(({ serviceAccount }) => serviceAccount === proxy.provenAccount)) return "shown";
  return isForAll || declared.length === 0 ? "undeclared" : "foreign";
}

function base64(pem: string): string {
  return Buffer.from(pem).toString("base64");
}
