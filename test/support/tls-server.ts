/** A server of TLS behind a gateway, and requests to gateways by TLS. */
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createServer, request as requestOverTls } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import type { IssuedKeyPair } from "./test-pki.ts";

/** A server of TLS with this certificate, which answers "behind". */
export async function startTls({
  certificatePem,
  privateKeyPem,
}: IssuedKeyPair): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer({ cert: certificatePem, key: privateKeyPem }, (_request, response) => {
    response.end("behind");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** As Node.js shows it. */
export function serialOf({ certificatePem }: IssuedKeyPair): string {
  return new X509Certificate(certificatePem).serialNumber;
}

/** A request over TLS of its own. */
export async function askOverTls(
  port: number,
  options: { readonly servername: string; readonly ca: string },
): Promise<{ readonly body: string; readonly serial: string | undefined }> {
  const asked = requestOverTls({ host: "127.0.0.1", port, agent: false, timeout: 10_000, ...options });
  asked.setHeader("host", options.servername).once("timeout", () => asked.destroy(new Error("no answer")));
  const answered = once(asked, "response");
  asked.end();
  const [response] = (await answered) as [IncomingMessage];
  const { serialNumber } = (response.socket as TLSSocket).getPeerX509Certificate() ?? {};
  return { body: (await response.toArray()).join(""), serial: serialNumber };
}
