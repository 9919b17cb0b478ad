/**
 * Discovery as a service of gRPC, in both variants of ADS.
 */
import type { GrpcService } from "../grpc/server.ts";
import { parseHostPort } from "../net/host-port.ts";
import type { Authenticator } from "./ca/authenticate.ts";
import { type ConnectionContext, serveConnection } from "./push/connection.ts";
import { deltaProtocol, type ServerProtocol, sotwProtocol } from "./push/protocol.ts";

/** @param authenticator says whose a stream is; undefined on a port where nobody proves anything */
export function discoveryService(
  shared: Omit<ConnectionContext, "peer">,
  authenticator: Authenticator | undefined,
): GrpcService {
  const serve =
    (protocol: ServerProtocol): NonNullable<GrpcService["streams"]>[string] =>
    async (stream, context) => {
      const identity = await authenticator?.authenticate(context.metadata("authorization"));
      const peer = { identity, address: addressOf(context.peer) };
      await serveConnection(protocol, stream, { ...shared, peer }, context.signal);
    };
  return {
    name: "envoy.service.discovery.v3.AggregatedDiscoveryService",
    streams: {
      DeltaAggregatedResources: serve(deltaProtocol),
      StreamAggregatedResources: serve(sotwProtocol),
    },
  };
}

/** `ip:port` without the port, and an IPv4 address in its own form. */
function addressOf(peer: string): string {
  return (parseHostPort(peer)?.host ?? "").replace(/^::ffff:(?=\d+\.)/, "");
}
