import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  DeltaDiscoveryRequestSchema,
  DeltaDiscoveryResponseSchema,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../../../src/proto/agent/discovery_pb.js";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { delta, stateOfTheWorld } from "../../../src/xdsproxy/protocol.ts";

const facts = { typeUrl: typeUrl.cluster, nonce: "n1", error: undefined };
const resource = { typeUrl: typeUrl.cluster, value: new Uint8Array(1_000) };

describe("state of the world", () => {
  test("a refusal tells its type, its nonce and Envoy's words", () => {
    const request = create(DiscoveryRequestSchema, {
      versionInfo: "v1",
      node: { id: "sidecar~1" },
      resourceNames: ["a", "b"],
      typeUrl: typeUrl.cluster,
      responseNonce: "n1",
      errorDetail: { code: 13, message: "no such filter" },
    });
    assert.deepEqual(stateOfTheWorld.readRequest(toBinary(DiscoveryRequestSchema, request)), {
      ...facts,
      error: "no such filter",
    });
  });

  test("a response tells its type and its nonce", () => {
    const response = create(DiscoveryResponseSchema, {
      versionInfo: "v1",
      resources: [resource, resource],
      canary: true,
      typeUrl: typeUrl.cluster,
      nonce: "n1",
    });
    assert.deepEqual(stateOfTheWorld.readResponse(toBinary(DiscoveryResponseSchema, response)), facts);
  });
});

describe("delta", () => {
  test("a refusal tells its type, its nonce and Envoy's words", () => {
    const request = create(DeltaDiscoveryRequestSchema, {
      node: { id: "sidecar~1" },
      typeUrl: typeUrl.cluster,
      resourceNamesSubscribe: ["a"],
      initialResourceVersions: { a: "1" },
      responseNonce: "n1",
      errorDetail: { code: 13, message: "no such filter" },
    });
    assert.deepEqual(delta.readRequest(toBinary(DeltaDiscoveryRequestSchema, request)), {
      ...facts,
      error: "no such filter",
    });
  });

  test("a response tells its type and its nonce", () => {
    const response = create(DeltaDiscoveryResponseSchema, {
      systemVersionInfo: "v1",
      resources: [{ name: "a", version: "1", resource }],
      typeUrl: typeUrl.cluster,
      nonce: "n1",
      removedResources: ["b"],
    });
    assert.deepEqual(delta.readResponse(toBinary(DeltaDiscoveryResponseSchema, response)), facts);
  });

  test("a first request answers nothing", () => {
    const request = create(DeltaDiscoveryRequestSchema, { typeUrl: typeUrl.cluster });
    assert.deepEqual(delta.readRequest(toBinary(DeltaDiscoveryRequestSchema, request)), {
      ...facts,
      nonce: "",
    });
  });
});

test("a refusal without words is a refusal", () => {
  const request = create(DiscoveryRequestSchema, { errorDetail: { code: 13 } });
  assert.equal(stateOfTheWorld.readRequest(toBinary(DiscoveryRequestSchema, request)).error, "");
});

test("bytes that are no message are an error", () => {
  assert.throws(() => stateOfTheWorld.readResponse(Buffer.from("22ff", "hex")));
});
