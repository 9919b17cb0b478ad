import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { GrpcError } from "../../../../src/grpc/grpc-error.ts";
import { explainFailure, terminationOf } from "../../../../src/xdsproxy/upstream/failure.ts";
import { describeDiscoveryServer } from "../../../../src/xdsproxy/upstream/upstream.ts";

const server = describeDiscoveryServer({
  address: "istiod:15012",
  tls: { rootCertificatePath: "./root.pem", serverName: undefined },
  clusterId: undefined,
  headers: {},
});

describe("terminationOf()", () => {
  const cases = [
    ["the end of a stream is graceful", undefined, "graceful"],
    ["a cancelled stream is expected", new GrpcError("CANCELLED", "Cancelled"), "cancelled"],
    [
      "a dropped connection is expected",
      new GrpcError("UNAVAILABLE", "reset", undefined, { transport: "connection-lost" }),
      "cancelled",
    ],
    [
      "a server that goes away is expected",
      new GrpcError("UNAVAILABLE", "bye", undefined, { transport: "going-away" }),
      "cancelled",
    ],
    [
      "a stream closed in good order is expected",
      new GrpcError("INTERNAL", "reset", undefined, { transport: "stream-closed" }),
      "cancelled",
    ],
    [
      "an end that the server passes on from another one is expected",
      new GrpcError("UNAVAILABLE", "transport is closing"),
      "cancelled",
    ],
    ["a server that fails is an error", new GrpcError("INTERNAL", "panic"), "error"],
    ["a server that refuses is an error", new GrpcError("UNAVAILABLE", "overloaded"), "error"],
  ] as const;
  for (const [name, error, expected] of cases) {
    test(name, () => {
      assert.equal(terminationOf(error), expected);
    });
  }
});

describe("explainFailure()", () => {
  const noConnection = (cause: string): GrpcError => new GrpcError("UNAVAILABLE", cause);
  const cases = [
    [
      "nobody listens",
      noConnection("Error: connect ECONNREFUSED 10.0.0.1:15012"),
      "unreachable",
      /istiod:15012 cannot be reached: connect ECONNREFUSED 10\.0\.0\.1:15012\. Check discoveryAddress/,
    ],
    [
      "another root",
      noConnection("self-signed certificate in certificate chain"),
      "untrusted",
      /not trusted by the root \.\/root\.pem: self-signed certificate in certificate chain\. .*XDS_ROOT_CA/,
    ],
    [
      "another name",
      noConnection("Hostname/IP does not match certificate's altnames: Host: istiod."),
      "untrusted",
      /certificate for another name.*ISTIOD_SAN/,
    ],
    [
      "a server certificate of yesterday",
      noConnection("certificate has expired"),
      "untrusted",
      /not valid now/,
    ],
    [
      "no such host",
      new GrpcError("UNAVAILABLE", "Name resolution failed for target dns:istiod:15012"),
      "unreachable",
      /Name resolution failed/,
    ],
    [
      "a refusal",
      new GrpcError("PERMISSION_DENIED", "not yours"),
      "refused",
      /not yours\. Check POD_NAMESPACE/,
    ],
    ["a token that is not accepted", new GrpcError("UNAUTHENTICATED", "bad"), "unauthenticated", /audience/],
  ] as const;
  for (const [name, error, kind, message] of cases) {
    test(name, () => {
      const failure = explainFailure(error, server, true);
      assert.equal(failure.kind, kind);
      assert.match(failure.message, message);
    });
  }

  test("a token that was never sent is not blamed on the server", () => {
    const error = new GrpcError("UNAUTHENTICATED", "authentication required");
    assert.match(explainFailure(error, server, false).message, /there is none that could be sent/);
  });
});
