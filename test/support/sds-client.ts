/** The workload's private key as Envoy gets it: over the agent's SDS socket. */
import assert from "node:assert/strict";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { GrpcChannel } from "../../src/grpc/channel.ts";
import { DiscoveryRequestSchema, DiscoveryResponseSchema } from "../../src/proto/agent/discovery_pb.js";
import { SecretSchema } from "../../src/proto/agent/secret_pb.js";
import { typeUrl } from "../../src/xds/type-urls.ts";

/** @returns PEM */
export async function fetchPrivateKey(socketPath: string): Promise<string> {
  using channel = new GrpcChannel({ address: `unix:${socketPath}`, tls: undefined });
  const stream = channel.stream("/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets", {});
  const request = create(DiscoveryRequestSchema, {
    node: { id: "sidecar~127.0.0.1~web-1.demo~demo.svc.cluster.local" },
    typeUrl: typeUrl.secret,
    resourceNames: ["default"],
  });
  await stream.write(toBinary(DiscoveryRequestSchema, request));
  try {
    for await (const message of stream) {
      const [resource] = fromBinary(DiscoveryResponseSchema, message).resources;
      assert.ok(resource !== undefined);
      const { type } = fromBinary(SecretSchema, resource.value);
      assert.ok(type.case === "tlsCertificate");
      const key = type.value.privateKey?.specifier;
      assert.ok(key?.case === "inlineBytes");
      return Buffer.from(key.value).toString("utf8");
    }
  } finally {
    stream.cancel();
  }
  throw new Error("the stream ended without an answer");
}
