/** What spans several fields of a Gateway. */
import { isCipherSuite } from "../cipher-suites.ts";
import type { GatewayServerSpec, GatewaySpec } from "../objects.ts";
import { type Complaint, duplicates } from "./complaint.ts";

/** Every broken rule. */
export function gateway({ servers }: GatewaySpec): readonly Complaint[] {
  return [
    ...duplicates(
      servers.map(({ port }) => port.name),
      "spec.servers",
      "port.name",
    ),
    ...servers.flatMap((each, index) => server(each, `spec.servers[${index}]`)),
  ];
}

const certificates = [
  "serverCertificate",
  "privateKey",
  "caCertificates",
  "credentialName",
  "credentialNames",
] as const;

function server({ port, tls, hosts }: GatewayServerSpec, path: string): readonly Complaint[] {
  const complaints: Complaint[] = [...duplicates(hosts, `${path}.hosts`, "")];
  const isTls = ["TLS", "HTTPS"].includes(port.protocol);
  const isHttp = ["HTTP", "HTTP2", "GRPC"].includes(port.protocol);
  if (isTls && tls === undefined)
    complaints.push([`${path}.tls`, `is missing, which a server of ${port.protocol} needs`]);
  if (tls === undefined) return complaints;
  if (!isTls) {
    const isRedirect = isHttp && (tls.mode ?? "PASSTHROUGH") === "PASSTHROUGH";
    if (!isRedirect || certificates.some((name) => tls[name] !== undefined))
      complaints.push([
        `${path}.tls`,
        isHttp
          ? "has nothing but httpsRedirect for a server without TLS: set the protocol to HTTPS"
          : "needs the protocol TLS or HTTPS",
      ]);
    return complaints;
  }
  return [...complaints, ...settings(tls, `${path}.tls`), ...suites(tls, `${path}.tls`)];
}

function suites(
  { cipherSuites = [] }: NonNullable<GatewayServerSpec["tls"]>,
  path: string,
): readonly Complaint[] {
  return cipherSuites.flatMap((name, index): readonly Complaint[] =>
    isCipherSuite(name)
      ? []
      : [
          [
            `${path}.cipherSuites[${index}]`,
            `${name} is no cipher suite that Envoy takes, and is left out: suites of TLS 1.2 have names such as ECDHE-RSA-AES128-GCM-SHA256`,
            "warning",
          ],
        ],
  );
}

function settings(tls: NonNullable<GatewayServerSpec["tls"]>, path: string): readonly Complaint[] {
  const mode = tls.mode ?? "PASSTHROUGH";
  const given = certificates.filter((name) => tls[name] !== undefined);
  switch (mode) {
    case "PASSTHROUGH":
    case "AUTO_PASSTHROUGH":
      return given.map((name): Complaint => [
        `${path}.${name}`,
        `has no effect: ${mode} leaves TLS to the server behind the gateway`,
        "warning",
      ]);
    case "ISTIO_MUTUAL":
      return given.map((name): Complaint => [
        `${path}.${name}`,
        "does not go with ISTIO_MUTUAL, which uses the workload's own certificate",
      ]);
    case "SIMPLE":
    case "MUTUAL":
    case "OPTIONAL_MUTUAL": {
      const credential = given.find((name) => name === "credentialName" || name === "credentialNames");
      if (credential !== undefined)
        return given
          .filter((name) => name !== credential)
          .map((name): Complaint => [
            `${path}.${name}`,
            `and ${credential} exclude each other: keep one of them`,
          ]);
      const needed =
        mode === "SIMPLE"
          ? (["serverCertificate", "privateKey"] as const)
          : (["serverCertificate", "privateKey", "caCertificates"] as const);
      return needed
        .filter((name) => tls[name] === undefined)
        .map((name): Complaint => [
          `${path}.${name}`,
          `is missing, which ${mode} needs unless there is a credentialName`,
        ]);
    }
  }
}
