/**
 * Where a gateway's Envoy listens, and by which certificates: Gateway.
 */
import { boolean, list, object, oneOf, oneOfAnyCase, optional, required, text } from "../decode.ts";
import { isCertificateHash, isPublicKeyHash, isResourceName, isServerHost } from "../forms.ts";
import { ipAddress, labels, line, portNumber } from "./common.ts";

const tlsVersion = oneOf("TLS_AUTO", "TLSV1_0", "TLSV1_1", "TLSV1_2", "TLSV1_3");

export const serverTls = object({
  httpsRedirect: optional(boolean),
  mode: optional(
    oneOf("PASSTHROUGH", "SIMPLE", "MUTUAL", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL", "OPTIONAL_MUTUAL"),
  ),
  serverCertificate: optional(line),
  privateKey: optional(line),
  caCertificates: optional(line),
  credentialName: optional(text("the name of a Secret", isResourceName)),
  credentialNames: optional(list(text("the name of a Secret", isResourceName), 1)),
  subjectAltNames: optional(list(line)),
  verifyCertificateSpki: optional(
    list(text("the SHA-256 of a public key in base64, of 44 characters", isPublicKeyHash)),
  ),
  verifyCertificateHash: optional(
    list(text("the SHA-256 of a certificate in hexadecimal, with or without colons", isCertificateHash)),
  ),
  minProtocolVersion: optional(tlsVersion),
  maxProtocolVersion: optional(tlsVersion),
  cipherSuites: optional(list(text())),
});

export const gatewayServer = object({
  name: optional(text("the name of a server", isResourceName)),
  port: required(
    object({
      number: required(portNumber),
      name: required(text("a port name")),
      protocol: required(
        oneOfAnyCase("HTTP", "HTTP2", "GRPC", "TCP", "TLS", "HTTPS", "MONGO", "MYSQL", "REDIS"),
      ),
      targetPort: optional(portNumber),
    }),
  ),
  bind: optional(ipAddress),
  hosts: required(list(text("a host, or namespace/host", isServerHost), 1)),
  tls: optional(serverTls),
});

export const gateway = object({
  selector: optional(labels),
  servers: required(list(gatewayServer, 1)),
});
