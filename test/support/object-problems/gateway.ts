/** What can be wrong with a Gateway. */
import { absent } from "../istio-objects.ts";
import { ip, missing, notAMapping, one, port, protocol, unique, type ProblemRow } from "./words.ts";

const noSuite =
  "is no cipher suite that Envoy takes, and is left out: suites of TLS 1.2 have names such as ECDHE-RSA-AES128-GCM-SHA256";

export const gatewayProblems: readonly ProblemRow[] = [
  ["apiVersion", "security.istio.io/v1", "must be networking.istio.io/v1 for a Gateway"],
  ["spec.selector", [], notAMapping],
  ["spec.servers", absent, missing],
  ["spec.servers", [], one],
  ["spec.servers[0].port", absent, missing],
  ["spec.servers[0].port.protocol", absent, missing],
  ["spec.servers[0].port.protocol", "UDP", protocol],
  ["spec.servers[0].port.number", 0, port],
  ["spec.servers[1].port.name", "https", unique("https")],
  ["spec.servers[0].bind", "unix:///a", ip],
  ["spec.servers[0].hosts", [], one],
  ["spec.servers[0].hosts[0]", "a/b/c", "must be a host, or namespace/host"],
  ["spec.servers[0].hosts[0]", "a b", "must be a host, or namespace/host"],
  ["spec.servers[1].hosts", ["a.demo", "a.demo"], "spec.servers[1].hosts[1]: " + unique("a.demo")],
  ["spec.servers[0].tls", absent, "is missing, which a server of HTTPS needs"],
  [
    "spec.servers[0].tls.mode",
    "TERMINATE",
    "must be one of PASSTHROUGH, SIMPLE, MUTUAL, AUTO_PASSTHROUGH, ISTIO_MUTUAL, OPTIONAL_MUTUAL",
  ],
  [
    "spec.servers[0].tls.privateKey",
    absent,
    "is missing, which MUTUAL needs unless there is a credentialName",
  ],
  [
    "spec.servers[0].tls",
    { mode: "SIMPLE", credentialName: "a", privateKey: "/a.key" },
    "spec.servers[0].tls.privateKey: and credentialName exclude each other: keep one of them",
  ],
  [
    "spec.servers[0].tls",
    { mode: "ISTIO_MUTUAL", credentialName: "a" },
    "spec.servers[0].tls.credentialName: does not go with ISTIO_MUTUAL, which uses the workload's own certificate",
  ],
  [
    "spec.servers[0].tls",
    { mode: "SIMPLE", credentialName: "a/b" },
    "spec.servers[0].tls.credentialName: must be the name of a Secret",
  ],
  [
    "spec.servers[1].tls",
    { mode: "SIMPLE", credentialName: "a" },
    "has nothing but httpsRedirect for a server without TLS: set the protocol to HTTPS",
  ],
  [
    "spec.servers[0].tls",
    {
      mode: "SIMPLE",
      serverCertificate: "/a.crt",
      cipherSuites: [
        "ALL",
        "!AES128-SHA",
        "[AES128-SHA|AES256-SHA]",
        "TLS_AES_128_GCM_SHA256",
        "[AES128-SHA|A]",
      ],
    },
    "spec.servers[0].tls.privateKey: is missing, which SIMPLE needs unless there is a credentialName",
    `spec.servers[0].tls.cipherSuites[3]: TLS_AES_128_GCM_SHA256 ${noSuite}`,
    `spec.servers[0].tls.cipherSuites[4]: [AES128-SHA|A] ${noSuite}`,
  ],
  ["spec.servers[1].port.protocol", "TCP", "spec.servers[1].tls: needs the protocol TLS or HTTPS"],
];
