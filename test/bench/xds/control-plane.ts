/**
 * A control plane that answers what it is asked to: the name in a request says how many responses of which size.
 *
 *     node control-plane.ts CERTIFICATE KEY      prints its port, then how many responses it has sent
 */
import { readFileSync } from "node:fs";
import type { ByteStream } from "../../../src/grpc/channel.ts";
import { StreamServer } from "../../../src/grpc/stream-server.ts";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { delta } from "../../support/xds-messages.ts";
import { delta as protocol } from "../../../src/xds/protocol.ts";

const [certificate = "", key = ""] = process.argv.slice(2);

let sent = 0;

async function serve(stream: ByteStream): Promise<void> {
  for await (const message of stream) {
    const { names, nonce } = protocol.readRequest(message);
    const [, count, size] = /^(\d+)x(\d+)$/.exec(names[0] ?? "") ?? [];
    if (nonce !== "" || count === undefined) continue;
    const response = delta.response({
      typeUrl: typeUrl.endpoint,
      nonce: "1",
      bytes: Buffer.alloc(Number(size), 1),
    });
    for (let written = 0; written < Number(count); written += 1) {
      await stream.write(response);
      sent += 1;
    }
  }
}

const server = await StreamServer.listen(
  {
    host: "127.0.0.1",
    port: 0,
    tls: { certificateChain: readFileSync(certificate, "utf8"), privateKey: readFileSync(key, "utf8") },
  },
  [
    {
      name: "envoy.service.discovery.v3.AggregatedDiscoveryService",
      streams: { DeltaAggregatedResources: serve },
    },
  ],
);
console.log(`port ${server.port}`);
for (let shown = 0; ;) {
  await sleep(100);
  if (sent !== shown) console.log(`sent ${sent}`);
  shown = sent;
}
