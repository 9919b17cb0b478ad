/**
 * The certificates of a gateway's servers that are in Secrets (SDS over ADS).
 */
import type { SecretJson } from "../../../proto/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { selects } from "../../model/model.ts";
import type { ProxyView } from "../view.ts";
import { credentialsOf, secretNames } from "./server-tls.ts";
import { endsTls, type GatewayServer, gatewayPorts } from "./servers.ts";

/**
 * Those that its Gateways name, of the router's own namespace: for a router that has proven to be of it, and for nobody
 * else. Istio asks Kubernetes whether the service account may list Secrets; here the folder says who the gateway is.
 */
export function generateSecrets(view: ProxyView): readonly SecretJson[] {
  const { proxy, model } = view;
  if (proxy.type !== "router" || proxy.provenAccount === "") return [];
  const credentials = gatewayPorts(view).flatMap(({ servers }) =>
    servers.flatMap((server) =>
      endsTls(server.spec) && isFor(server, view) ? credentialsOf(server.spec.tls ?? {}) : [],
    ),
  );
  // Another namespace is named only where its owner allows it, which is decided where the name is made.
  const find = (credential: string): (typeof model.secrets)[number] | undefined => {
    const [name, namespace = proxy.namespace] = credential
      .replace(/^.*:\/\//, "")
      .split("/")
      .toReversed();
    return model.secrets.find((secret) => secret.namespace === namespace && secret.name === name);
  };
  return [...new Set(credentials)].flatMap((credential): readonly SecretJson[] => {
    const { certificatePem, privateKeyPem } = find(credential) ?? {};
    const rootPem = find(`${credential}-cacert`)?.rootPem ?? find(credential)?.rootPem;
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

/**
 * Whoever has an identity of the namespace may say that it is a router with these labels. Where the folder declares workloads
 * with them, it is one of their service accounts that has the keys.
 */
function isFor({ selector, services }: GatewayServer, { proxy, model }: ProxyView): boolean {
  if (Object.keys(selector).length === 0) return true;
  const behind = model.services
    .filter(({ host, namespace }) => namespace === proxy.namespace && services.includes(host))
    .flatMap(({ endpoints }) => endpoints)
    .filter(({ serviceAccount }) => serviceAccount !== "");
  const selected = model.workloads.filter(
    ({ namespace, serviceAccount, labels }) =>
      namespace === proxy.namespace && serviceAccount !== "" && selects(selector, labels),
  );
  const declared = [...selected, ...behind];
  return (
    declared.length === 0 || declared.some(({ serviceAccount }) => serviceAccount === proxy.provenAccount)
  );
}

function base64(pem: string): string {
  return Buffer.from(pem).toString("base64");
}
