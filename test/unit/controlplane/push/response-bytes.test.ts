import assert from "node:assert/strict";
import { test } from "node:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import * as fc from "fast-check";
import { deltaResponse, sotwResponse } from "../../../../src/controlplane/push/response-bytes.ts";
import {
  DeltaDiscoveryResponseSchema,
  DiscoveryResponseSchema,
} from "../../../../src/proto/envoy/envoy/service/discovery/v3/discovery_pb.js";

const head = fc.record({
  typeUrl: fc.string(),
  version: fc.string(),
  nonce: fc.string(),
  identifier: fc.string({ minLength: 1 }),
});
const resources = fc.array(
  fc.record({
    name: fc.string({ unit: "grapheme" }),
    version: fc.string(),
    bytes: fc.uint8Array({ maxLength: 300 }),
  }),
);

test("a delta response is what the library makes of the same fields", () => {
  fc.assert(
    fc.property(head, resources, fc.array(fc.string()), (facts, list, removed) => {
      const { typeUrl, version, nonce, identifier } = facts;
      const expected = create(DeltaDiscoveryResponseSchema, {
        systemVersionInfo: version,
        typeUrl,
        nonce,
        controlPlane: { identifier },
        resources: list.map(({ name, version: own, bytes }) => ({
          name,
          version: own,
          resource: { typeUrl, value: bytes },
        })),
        removedResources: removed,
      });
      // Read and written again, as the order of fields is free.
      const read = fromBinary(DeltaDiscoveryResponseSchema, deltaResponse(facts, list, removed));
      assert.deepEqual(
        toBinary(DeltaDiscoveryResponseSchema, read),
        toBinary(DeltaDiscoveryResponseSchema, expected),
      );
    }),
  );
});

test("a state-of-the-world response is what the library makes of the same fields", () => {
  fc.assert(
    fc.property(head, resources, (facts, list) => {
      const { typeUrl, version, nonce, identifier } = facts;
      const expected = create(DiscoveryResponseSchema, {
        versionInfo: version,
        typeUrl,
        nonce,
        controlPlane: { identifier },
        resources: list.map(({ bytes }) => ({ typeUrl, value: bytes })),
      });
      const read = fromBinary(DiscoveryResponseSchema, sotwResponse(facts, list));
      assert.deepEqual(toBinary(DiscoveryResponseSchema, read), toBinary(DiscoveryResponseSchema, expected));
    }),
  );
});
