/**
 * A SPIFFE Workload API, X.509 profile, by the standard: the security header is demanded (SPIFFE_Workload_Endpoint,
 * sections 3 and 6), no client authentication (5), the first answer comes without delay and each one is the whole set
 * (SPIFFE_Workload_API, 4.3) with federated bundles keyed by SPIFFE ID (4.6) and DER lists of revoked certificates (5.1),
 * every field of an SVID is there (5.2.1), the leaf is one by X509-SVID (4), and a caller without an identity, or whose
 * identity is taken back, gets PERMISSION_DENIED (5.2.1). FetchX509Bundles (5.2.2) is for those who want no SVID: nobody
 * calls it here.
 */
import { X509Certificate } from "node:crypto";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { GrpcError } from "../../src/grpc/grpc-error.ts";
import { GrpcServer } from "../../src/grpc/server.ts";
import { Watch } from "../../src/lifecycle/watch.ts";
import {
  type X509SVIDSchema,
  X509SVIDRequestSchema,
  X509SVIDResponseSchema,
} from "../../src/proto/agent/workload_api_pb.js";
import type { IssuedKeyPair } from "./test-pki.ts";

export type Svid = MessageInitShape<typeof X509SVIDSchema>;

/** An SVID message of a pair; `caPems` are its intermediates, `bundlePems` the trust domain's roots. */
export function svid(
  spiffeId: string,
  pair: IssuedKeyPair,
  bundlePems: readonly string[],
  caPems: readonly string[] = [],
): Svid {
  const der = (pems: readonly string[]): Buffer =>
    Buffer.concat(pems.map((pem) => new X509Certificate(pem).raw));
  return {
    spiffeId,
    x509Svid: der([pair.certificatePem, ...caPems]),
    x509SvidKey: Buffer.from(pair.privateKeyPem.replaceAll(/-----[^-]+-----/g, ""), "base64"),
    bundle: der(bundlePems),
  };
}

export class TestWorkloadApi implements AsyncDisposable {
  /** The identities of the caller; none is PERMISSION_DENIED. May change while streams are open. */
  readonly svids: Watch<readonly Svid[]>;
  /** DER bundles of other trust domains, by their SPIFFE IDs (section 5.2.1): sent with the next answer. */
  federatedBundles: Readonly<Record<string, Uint8Array>> = {};
  /** DER lists of revoked certificates (section 5.1): the same. */
  crl: readonly Uint8Array[] = [];
  streams = 0;
  /** Calls without the security header. */
  rejected = 0;
  #server: GrpcServer | undefined;

  private constructor(svids: readonly Svid[]) {
    this.svids = new Watch(svids);
  }

  static async listen(path: string, svids: readonly Svid[]): Promise<TestWorkloadApi> {
    const api = new TestWorkloadApi(svids);
    api.#server = await GrpcServer.listen({ path, mode: 0o600 }, [
      {
        name: "SpiffeWorkloadAPI",
        streams: {
          FetchX509SVID: async (stream, context) => {
            if (context.metadata("workload.spiffe.io") !== "true") {
              api.rejected += 1;
              throw new GrpcError("INVALID_ARGUMENT", "security header missing from request");
            }
            for await (const message of stream) {
              fromBinary(X509SVIDRequestSchema, message);
              break;
            }
            api.streams += 1;
            for await (const current of api.svids.changes(context.signal)) {
              if (current.length === 0) throw new GrpcError("PERMISSION_DENIED", "no identity issued");
              const response = create(X509SVIDResponseSchema, {
                svids: [...current],
                crl: [...api.crl],
                federatedBundles: { ...api.federatedBundles },
              });
              await stream.write(toBinary(X509SVIDResponseSchema, response));
            }
          },
        },
      },
    ]);
    return api;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }
}
