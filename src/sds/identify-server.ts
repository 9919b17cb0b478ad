/**
 * Who serves SDS at a socket: a question with no names in it, which every server may answer and none need to.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { GrpcChannel } from "../grpc/channel.ts";
import { DiscoveryRequestSchema, DiscoveryResponseSchema } from "../proto/agent/discovery_pb.js";
import { typeUrl } from "../xds/type-urls.ts";

/** What the server at the Unix socket `path` calls itself; undefined when it does not say so within `timeoutMs`. */
export async function identifySdsServer(path: string, timeoutMs: number): Promise<string | undefined> {
  using channel = new GrpcChannel({ address: `unix:${path}`, tls: undefined });
  const request = create(DiscoveryRequestSchema, { typeUrl: typeUrl.secret });
  try {
    const response = await channel.unary({
      path: "/envoy.service.secret.v3.SecretDiscoveryService/FetchSecrets",
      request: toBinary(DiscoveryRequestSchema, request),
      metadata: {},
      timeoutMs,
    });
    return fromBinary(DiscoveryResponseSchema, response).controlPlane?.identifier;
  } catch {
    return undefined;
  }
}
