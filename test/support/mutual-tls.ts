/** TLS that asks its clients for a certificate, in front of a server that speaks plain text. */
import { once } from "node:events";
import { type AddressInfo, connect } from "node:net";
import { createServer } from "node:tls";
import type { TestPki } from "./test-pki.ts";
import { validity } from "./test-pki.ts";

export interface MutualTls extends AsyncDisposable {
  readonly address: string;
  /** Serial of each client's certificate; undefined for one that came without. */
  readonly clients: readonly (string | undefined)[];
}

export async function mutualTls(behind: string, pki: TestPki): Promise<MutualTls> {
  const { certificatePem, privateKeyPem } = await pki.serverKeyPair(
    ["127.0.0.1"],
    validity(-60_000, 3_600_000),
  );
  const clients: (string | undefined)[] = [];
  const server = createServer(
    {
      cert: certificatePem,
      key: privateKeyPem,
      ca: pki.rootPem,
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ["h2"],
    },
    (socket) => {
      clients.push(socket.getPeerX509Certificate()?.serialNumber);
      const [host, port] = behind.split(":");
      const upstream = connect({ host, port: Number(port) });
      for (const side of [socket, upstream]) {
        side.on("error", () => {
          socket.destroy();
          upstream.destroy();
        });
      }
      socket.pipe(upstream).pipe(socket);
    },
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    clients,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await Promise.resolve();
    },
  };
}
