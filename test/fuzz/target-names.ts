/** Names of all targets. */
export const targetNames = [
  "proxy-config",
  "mesh-config",
  "annotations",
  "app-probes",
  "config-folder",
  "token",
  "certificate-request",
  "http-status",
  "http-admin",
  "discovery-http",
  "dns-query",
  "dns-answer",
  "dns-forwarding",
  "application-socket",
  "exposition",
  "sds",
  "xds",
  "discovery-plain",
  "discovery-tls",
] as const;

export type TargetName = (typeof targetNames)[number];
