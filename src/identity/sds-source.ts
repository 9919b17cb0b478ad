/**
 * What somebody else's SDS server gives Envoy, such as a SPIRE agent's at the workload's socket.
 *
 * Envoy asks that server itself. The agent asks as well, so that expiry, readiness and reports are of what Envoy
 * gets; a server may give each asker a certificate of its own.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { anyIs, anyUnpack } from "@bufbuild/protobuf/wkt";
import { readRegularText } from "../files/read-regular-file.ts";
import type { ByteStream } from "../grpc/channel.ts";
import { GrpcError } from "../grpc/grpc-error.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { clockJumps } from "../lifecycle/wall-clock.ts";
import { readCertificate } from "../pki/certificate.ts";
import { trustDomainOf } from "../pki/spiffe-id.ts";
import {
  type DiscoveryResponse,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../proto/agent/discovery_pb.js";
import {
  type CertificateValidationContext,
  type DataSource,
  type TlsCertificate,
  SecretSchema,
  SPIFFECertValidatorConfigSchema,
} from "../proto/agent/secret_pb.js";
import { typeUrl } from "../xds/type-urls.ts";
import { followStream } from "./grpc-stream.ts";
import { IdentityError } from "./identity-error.ts";
import type { IdentityDependencies, SecretStore } from "./secret-store.ts";
import { checkGivenSecret, type GivenSecret, isSameSecret } from "./workload-secret.ts";

/** Istio's names of the workload's secrets. */
const names = ["default", "ROOTCA"];

/** Follows the server's answers. */
export class SdsSource {
  readonly #socketPath: string;
  readonly #nodeId: string;
  readonly #store: SecretStore;
  readonly #now: () => Date;
  #certificate: TlsCertificate | undefined;
  #roots: CertificateValidationContext | undefined;
  /** What has come could not be used. */
  #isRefused = false;

  constructor(
    server: { readonly socketPath: string; readonly nodeId: string },
    store: SecretStore,
    { now }: Pick<IdentityDependencies, "now">,
  ) {
    this.#socketPath = server.socketPath;
    this.#nodeId = server.nodeId;
    this.#store = store;
    this.#now = now;
  }

  /** Know what the server says, over a new stream when one ends, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#follow(signal), this.#followClock(signal)]);
  }

  /** What was refused for its time may be good once the clock is set, and the server does not say it twice. */
  async #followClock(signal: AbortSignal): Promise<void> {
    for await (const _ of clockJumps(this.#now, signal)) {
      if (!this.#isRefused) continue;
      try {
        this.#publish();
      } catch (error) {
        this.#report(error);
      }
    }
  }

  #follow(signal: AbortSignal): Promise<void> {
    return followStream(
      {
        target: `unix:${this.#socketPath}`,
        path: "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets",
        metadata: {},
        open: (stream) => {
          this.#request(stream, { node: { id: this.#nodeId } });
        },
        take: (message, stream) => {
          this.#take(message, stream);
        },
        failed: (error) => {
          const { code, details } = GrpcError.from(error);
          this.#unavailable(
            code === "UNAVAILABLE" ? `cannot be reached: ${details}` : `says ${code}: ${details}`,
            error,
          );
          return undefined;
        },
        silent: () => {
          this.#unavailable("takes connections but has sent no secret");
        },
      },
      signal,
    );
  }

  #request(
    stream: ByteStream,
    rest: { node?: { id: string }; versionInfo?: string; responseNonce?: string },
  ): void {
    const request = create(DiscoveryRequestSchema, {
      resourceNames: names,
      typeUrl: typeUrl.secret,
      ...rest,
    });
    stream.enqueue(toBinary(DiscoveryRequestSchema, request));
  }

  #take(message: Buffer, stream: ByteStream): void {
    try {
      const response = fromBinary(DiscoveryResponseSchema, message);
      const { versionInfo, nonce } = response;
      this.#request(stream, { versionInfo, responseNonce: nonce });
      this.#read(response);
      this.#publish();
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    this.#isRefused = true;
    this.#store.report(error instanceof IdentityError ? error : this.#invalid(errorMessage(error), error));
  }

  #read({ resources }: DiscoveryResponse): void {
    for (const { value } of resources) {
      const { name, type } = fromBinary(SecretSchema, value);
      if (!names.includes(name)) continue;
      if (type.case === "tlsCertificate") this.#certificate = type.value;
      if (type.case === "validationContext") this.#roots = type.value;
    }
  }

  /** Once both have come. */
  #publish(): void {
    if (this.#certificate === undefined || this.#roots === undefined) return;
    this.#isRefused = false;
    const certificateChainPem = textOf(this.#certificate.certificateChain);
    const given: GivenSecret = {
      certificateChainPem,
      privateKeyPem: textOf(this.#certificate.privateKey),
      ...rootsOf(this.#roots, certificateChainPem),
    };
    if (given.privateKeyPem === "")
      throw this.#invalid("its key is not in its answer: only Envoy can say what it serves");
    const secret = checkGivenSecret(
      given,
      `the certificate of the SDS socket ${this.#socketPath}`,
      this.#now(),
    );
    const inUse = this.#store.own;
    if (inUse !== undefined && isSameSecret(inUse, secret)) this.#store.settle();
    else this.#store.publish(secret, { source: `the SDS socket ${this.#socketPath}` });
  }

  #unavailable(what: string, cause?: unknown): void {
    this.#store.report(
      new IdentityError(
        "SDS_UNAVAILABLE",
        `the SDS socket ${this.#socketPath}, which is another server's, ${what}. Check that server; ` +
          "or remove the socket and restart, and this agent serves the certificate",
        cause,
      ),
    );
  }

  #invalid(reason: string, cause?: unknown): IdentityError {
    return new IdentityError(
      "SDS_INVALID",
      `the answer of the SDS socket ${this.#socketPath} cannot be used: ${reason}`,
      cause,
    );
  }
}

/** The roots of the certificate's own trust domain, and those of others where the server tells them apart. */
function rootsOf(
  { trustedCa, customValidatorConfig }: CertificateValidationContext,
  certificateChainPem: string,
): Pick<GivenSecret, "rootPem" | "federatedBundles"> {
  const config = customValidatorConfig?.typedConfig;
  if (config === undefined || !anyIs(config, SPIFFECertValidatorConfigSchema))
    return { rootPem: textOf(trustedCa) };
  const domains = anyUnpack(config, SPIFFECertValidatorConfigSchema)?.trustDomains ?? [];
  const bundles = new Map(domains.map(({ name, trustBundle }) => [name, textOf(trustBundle)]));
  const own = trustDomainOf(readCertificate(certificateChainPem).uris[0] ?? "");
  const rootPem = bundles.get(own) ?? "";
  bundles.delete(own);
  return { rootPem, federatedBundles: bundles };
}

function textOf(source: DataSource | undefined): string {
  switch (source?.specifier.case) {
    case "inlineBytes":
      return Buffer.from(source.specifier.value).toString("utf8");
    case "inlineString":
      return source.specifier.value;
    case "filename":
      return readRegularText(source.specifier.value);
    case undefined:
      return "";
  }
}
