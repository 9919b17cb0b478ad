/**
 * Files and sockets that Istio's injector and Envoy's bootstrap agree on. Relative to the working directory, which
 * Envoy shares; it is `/` in the sidecar image.
 */
import { join } from "node:path";
export const paths = {
  token: "./var/run/secrets/tokens/istio-token",
  istiodRoot: "./var/run/secrets/istio/root-cert.pem",
  customRoot: "./etc/certs/root-cert.pem",
  mountedCertificates: "./etc/certs",
  spiffeCredentials: "./var/run/secrets/workload-spiffe-credentials",
  crl: "/var/run/secrets/istio/crl/ca-crl.pem",
  sdsFolder: "./var/run/secrets/workload-spiffe-uds",
  sdsSocket: "./var/run/secrets/workload-spiffe-uds/socket",
  credentialSocket: "./var/run/secrets/credential-uds/socket",
  filesSocket: "./var/run/secrets/credential-uds/files-socket",
  meshConfig: "./etc/istio/config/mesh",
  podLabels: "./etc/istio/pod/labels",
  podAnnotations: "./etc/istio/pod/annotations",
} as const;

/** The socket of the agent's ADS server, below ProxyConfig's `configPath`. */
export function xdsSocketPath(configPath: string): string {
  return join(configPath, "XDS");
}
