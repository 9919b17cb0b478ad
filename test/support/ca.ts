/** A small certificate authority that speaks Istio's protocol and can be told to misbehave. */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { GrpcServer } from "../../src/grpc/server.ts";
import {
  IstioCertificateRequestSchema,
  IstioCertificateResponseSchema,
} from "../../src/proto/agent/ca_pb.js";
import { readRequest, TestPki, validity, type Validity } from "./test-pki.ts";

/** One call as the CA saw it. */
export interface CaCall {
  readonly csr: string;
  readonly validitySeconds: number;
  readonly authorization: string | undefined;
  readonly clusterId: string | undefined;
  readonly header: (key: string) => string | undefined;
}

export interface CaOptions {
  /** The CA's own keys; new ones unless given. */
  readonly pki?: TestPki;
  readonly port?: number;
  /** False listens in plain text. */
  readonly tls?: boolean;
}

/** Makes the chain that the CA answers with, or throws GrpcError. */
export type CaAnswer = (call: CaCall) => Promise<readonly string[]>;

export class TestCa implements AsyncDisposable {
  readonly pki: TestPki;
  readonly calls: CaCall[] = [];
  /** May be replaced while the CA runs. */
  answer: CaAnswer;
  #server: GrpcServer | undefined;

  private constructor(pki: TestPki) {
    this.pki = pki;
    this.answer = this.issuing(() => validity(-120_000, 3_600_000));
  }

  static async listen(options: CaOptions = {}): Promise<TestCa> {
    const ca = new TestCa(options.pki ?? (await TestPki.create()));
    const keyPair = await ca.pki.serverKeyPair(["127.0.0.1", "localhost"], validity(-60_000, 3_600_000));
    const tls = { certificateChain: keyPair.certificatePem, privateKey: keyPair.privateKeyPem };
    ca.#server = await GrpcServer.listen(
      { host: "127.0.0.1", port: options.port ?? 0, ...(options.tls === false ? {} : { tls }) },
      [
        {
          name: "istio.v1.auth.IstioCertificateService",
          unary: {
            CreateCertificate: async (bytes, context) => {
              const request = fromBinary(IstioCertificateRequestSchema, bytes);
              const call: CaCall = {
                csr: request.csr,
                validitySeconds: Number(request.validityDuration),
                authorization: context.metadata("authorization"),
                clusterId: context.metadata("clusterid"),
                header: (key) => context.metadata(key),
              };
              ca.calls.push(call);
              const certChain = [...(await ca.answer(call))];
              return toBinary(
                IstioCertificateResponseSchema,
                create(IstioCertificateResponseSchema, { certChain }),
              );
            },
          },
        },
      ],
    );
    return ca;
  }

  get address(): string {
    return `127.0.0.1:${this.#server?.port ?? 0}`;
  }

  /** An answer that signs whatever is asked, for the validity of the moment, in this trust domain if one is given. */
  issuing(valid: () => Validity, trustDomain?: () => string): CaAnswer {
    if (trustDomain === undefined)
      return async ({ csr }) => [await this.pki.sign(csr, valid()), this.pki.rootPem];
    return async ({ csr }) => {
      const { names } = await readRequest(csr);
      const [{ value: asked = "" } = {}] = names as readonly { readonly value?: string }[];
      const uri = asked.replace(/^spiffe:\/\/[^/]*/, `spiffe://${trustDomain()}`);
      return [await this.pki.sign(csr, valid(), uri), this.pki.rootPem];
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
  }
}
