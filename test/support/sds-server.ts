/** Somebody else's SDS server, by state of the world, as a SPIRE agent's is: all secrets asked for in each answer. */
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { GrpcServer } from "../../src/grpc/server.ts";
import { Watch } from "../../src/lifecycle/watch.ts";
import { DiscoveryRequestSchema, DiscoveryResponseSchema } from "../../src/proto/agent/discovery_pb.js";
import { SecretSchema } from "../../src/proto/agent/secret_pb.js";
import { typeUrl } from "../../src/xds/type-urls.ts";
import type { IssuedKeyPair } from "./test-pki.ts";

export type TestSecret = MessageInitShape<typeof SecretSchema>;

function inline(pem: string): { specifier: { case: "inlineBytes"; value: Uint8Array } } {
  return { specifier: { case: "inlineBytes", value: Buffer.from(pem) } };
}

/** The two secrets of a workload, by the names that Istio asks for. */
export function workloadSecrets(pair: IssuedKeyPair, rootPems: readonly string[]): readonly TestSecret[] {
  return [
    {
      name: "default",
      type: {
        case: "tlsCertificate",
        value: {
          certificateChain: inline(pair.certificatePem),
          privateKey: inline(pair.privateKeyPem),
        },
      },
    },
    {
      name: "ROOTCA",
      type: { case: "validationContext", value: { trustedCa: inline(rootPems.join("\n")) } },
    },
  ];
}

export class TestSdsServer implements AsyncDisposable {
  /** May change while streams are open; none is no answer. */
  readonly secrets: Watch<readonly TestSecret[]>;
  /** Node IDs of those who asked, one for each stream. */
  readonly askers: string[] = [];
  #server: GrpcServer | undefined;

  private constructor(secrets: readonly TestSecret[]) {
    this.secrets = new Watch(secrets);
  }

  static async listen(path: string, secrets: readonly TestSecret[]): Promise<TestSdsServer> {
    const sds = new TestSdsServer(secrets);
    sds.#server = await GrpcServer.listen({ path, mode: 0o600 }, [
      {
        name: "envoy.service.secret.v3.SecretDiscoveryService",
        streams: {
          StreamSecrets: async (stream, context) => {
            let answers = 0;
            const answering: Promise<void>[] = [];
            for await (const message of stream) {
              const { node, resourceNames } = fromBinary(DiscoveryRequestSchema, message);
              if (answering.length > 0) continue;
              sds.askers.push(node?.id ?? "");
              const answer = async (): Promise<void> => {
                for await (const current of sds.secrets.changes(context.signal)) {
                  const wanted = current.filter(({ name = "" }) => resourceNames.includes(name));
                  if (wanted.length === 0) continue;
                  answers += 1;
                  const response = create(DiscoveryResponseSchema, {
                    versionInfo: String(answers),
                    nonce: String(answers),
                    typeUrl: typeUrl.secret,
                    resources: wanted.map((secret) => ({
                      typeUrl: typeUrl.secret,
                      value: toBinary(SecretSchema, create(SecretSchema, secret)),
                    })),
                  });
                  await stream.write(toBinary(DiscoveryResponseSchema, response));
                }
              };
              answering.push(answer());
            }
            await Promise.all(answering);
          },
        },
      },
    ]);
    return sds;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }
}
