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
import { delta, stateOfTheWorld } from "../../../src/xds/protocol.ts";

const request = {
  typeUrl: typeUrl.cluster,
  nonce: "n1",
  error: undefined,
  names: [],
  unsubscribed: [],
  known: {},
  version: "",
};
const resource = { typeUrl: typeUrl.cluster, value: new Uint8Array(1_000) };

describe("state of the world", () => {
  test("a refusal tells its type, its nonce and Envoy's words", () => {
    const message = create(DiscoveryRequestSchema, {
      versionInfo: "v1",
      node: { id: "sidecar~1" },
      resourceNames: ["a", "b"],
      typeUrl: typeUrl.cluster,
      responseNonce: "n1",
      errorDetail: { code: 13, message: "no such filter" },
    });
    assert.deepEqual(stateOfTheWorld.readRequest(toBinary(DiscoveryRequestSchema, message)), {
      ...request,
      error: "no such filter",
      names: ["a", "b"],
      version: "v1",
    });
  });

  test("a response tells its type, its nonce, its version and its resources", () => {
    const response = create(DiscoveryResponseSchema, {
      versionInfo: "v1",
      resources: [resource, resource],
      canary: true,
      typeUrl: typeUrl.cluster,
      nonce: "n1",
    });
    const read = stateOfTheWorld.readResponse(toBinary(DiscoveryResponseSchema, response));
    assert.deepEqual(
      { ...read, resources: read.resources.length },
      { typeUrl: typeUrl.cluster, nonce: "n1", version: "v1", resources: 2, removed: [] },
    );
  });
});

describe("delta", () => {
  test("a refusal tells its type, its nonce and Envoy's words", () => {
    const message = create(DeltaDiscoveryRequestSchema, {
      node: { id: "sidecar~1" },
      typeUrl: typeUrl.cluster,
      resourceNamesSubscribe: ["a"],
      resourceNamesUnsubscribe: ["b"],
      initialResourceVersions: { a: "1" },
      responseNonce: "n1",
      errorDetail: { code: 13, message: "no such filter" },
    });
    assert.deepEqual(delta.readRequest(toBinary(DeltaDiscoveryRequestSchema, message)), {
      ...request,
      error: "no such filter",
      names: ["a"],
      unsubscribed: ["b"],
      known: { a: "1" },
    });
  });

  test("a response tells its type, its nonce, its version and its resources", () => {
    const response = create(DeltaDiscoveryResponseSchema, {
      systemVersionInfo: "v1",
      resources: [{ name: "a", version: "1", resource }],
      typeUrl: typeUrl.cluster,
      nonce: "n1",
      removedResources: ["b"],
    });
    const read = delta.readResponse(toBinary(DeltaDiscoveryResponseSchema, response));
    assert.deepEqual(
      { ...read, resources: read.resources.length },
      { typeUrl: typeUrl.cluster, nonce: "n1", version: "v1", resources: 1, removed: ["b"] },
    );
  });

  test("a first request answers nothing", () => {
    const message = create(DeltaDiscoveryRequestSchema, { typeUrl: typeUrl.cluster });
    assert.deepEqual(delta.readRequest(toBinary(DeltaDiscoveryRequestSchema, message)), {
      ...request,
      nonce: "",
    });
  });
});

test("a refusal without words is a refusal", () => {
  const message = create(DiscoveryRequestSchema, { errorDetail: { code: 13 } });
  assert.equal(stateOfTheWorld.readRequest(toBinary(DiscoveryRequestSchema, message)).error, "");
});

test("bytes that are no message are an error", () => {
  assert.throws(() => stateOfTheWorld.readResponse(Buffer.from("22ff", "hex")));
});

for (const protocol of [stateOfTheWorld, delta]) {
  test(`what ${protocol.method} writes it reads`, () => {
    const source = create(DeltaDiscoveryResponseSchema, {
      resources: [
        {
          name: "a",
          version: "1",
          resource: { typeUrl: typeUrl.cluster, value: Buffer.from("0a0161", "hex") },
        },
      ],
    });
    const [view] = delta.readResponse(toBinary(DeltaDiscoveryResponseSchema, source)).resources;
    assert.ok(view);
    const resource = delta.readResource(view, "");
    const written = protocol.writeResponse({
      typeUrl: typeUrl.cluster,
      nonce: "n1",
      version: "v1",
      resources: [resource],
      removed: protocol.isDelta ? ["b"] : [],
    });
    const read = protocol.readResponse(written);
    assert.deepEqual(
      { ...read, resources: read.resources.map((one) => protocol.nameOf(one)) },
      {
        typeUrl: typeUrl.cluster,
        nonce: "n1",
        version: "v1",
        resources: ["a"],
        removed: protocol.isDelta ? ["b"] : [],
      },
    );
    const refusal = { typeUrl: typeUrl.cluster, nonce: "n1", error: "bad table" };
    assert.deepEqual(protocol.readRequest(protocol.writeRequest(refusal)), {
      ...request,
      error: "bad table",
    });
  });
}
