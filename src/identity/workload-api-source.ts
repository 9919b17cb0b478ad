/**
 * A certificate from a SPIFFE Workload API, such as a SPIRE agent's (SPIFFE_Workload_API, section 5).
 *
 * The stream stays open and each message on it is the whole truth; what it no longer names is no longer used
 * (sections 4.2 to 4.4). A server that goes away takes nothing back.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { GrpcError } from "../grpc/grpc-error.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { clockJumps } from "../lifecycle/wall-clock.ts";
import { splitDer } from "../pki/der.ts";
import { joinPem, toPem } from "../pki/pem.ts";
import { trustDomainOf } from "../pki/spiffe-id.ts";
import {
  type X509SVIDResponse,
  X509SVIDRequestSchema,
  X509SVIDResponseSchema,
} from "../proto/agent/workload_api_pb.js";
import { followStream } from "./grpc-stream.ts";
import { IdentityError } from "./identity-error.ts";
import type { IdentityDependencies, SecretStore } from "./secret-store.ts";
import { checkGivenSecret, isSameSecret, type WorkloadSecret } from "./workload-secret.ts";

/** The standard's service has no package. */
const fetchPath = "/SpiffeWorkloadAPI/FetchX509SVID";

/** Keeps forged requests of a browser or a server away from the endpoint (SPIFFE_Workload_Endpoint, section 3). */
const securityHeader = { "workload.spiffe.io": "true" };

/** Codes after which the standard says not to try again: an agent lives long, so it does, but rarely. */
const lasting: ReadonlySet<string> = new Set(["INVALID_ARGUMENT", "UNIMPLEMENTED"]);
const lastingDelayMs = 60_000;

function crlsOf({ crl }: X509SVIDResponse): string {
  return joinPem(crl.flatMap((der) => splitDer(der)).map((one) => toPem("X509 CRL", one)));
}

/** Follows the stream. */
export class WorkloadApiSource {
  readonly #target: string;
  readonly #trustDomain: string;
  readonly #store: SecretStore;
  readonly #now: () => Date;
  /** The last message, when it could not be used. */
  #refused: Buffer | undefined;

  constructor(
    target: string,
    trustDomain: string,
    store: SecretStore,
    { now }: Pick<IdentityDependencies, "now">,
  ) {
    this.#target = target;
    this.#trustDomain = trustDomain;
    this.#store = store;
    this.#now = now;
  }

  /** Serve what the stream says, over a new one when it ends, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#follow(signal), this.#followClock(signal)]);
  }

  /** What was refused for its time may be good once the clock is set, and the server does not say it twice. */
  async #followClock(signal: AbortSignal): Promise<void> {
    for await (const _ of clockJumps(this.#now, signal))
      if (this.#refused !== undefined) this.#take(this.#refused);
  }

  #follow(signal: AbortSignal): Promise<void> {
    return followStream(
      {
        target: this.#target,
        path: fetchPath,
        metadata: securityHeader,
        open: (stream) => {
          stream.enqueue(toBinary(X509SVIDRequestSchema, create(X509SVIDRequestSchema)));
          stream.end();
        },
        take: (message) => {
          this.#take(message);
        },
        failed: (error) => this.#failed(error),
        silent: () => {
          this.#store.report(
            new IdentityError(
              "WORKLOAD_API_UNAVAILABLE",
              `the Workload API ${this.#target} takes connections but has sent nothing. Look at the log of the SPIFFE agent`,
            ),
          );
        },
      },
      signal,
    );
  }

  #take(message: Buffer): void {
    this.#refused = undefined;
    try {
      const secret = this.#read(message);
      const inUse = this.#store.own;
      if (inUse !== undefined && isSameSecret(inUse, secret)) this.#store.settle();
      else {
        this.#store.publish(secret, {
          source: `the Workload API ${this.#target}`,
          askedTrustDomain: this.#trustDomain,
        });
      }
    } catch (error) {
      this.#refused = message;
      this.#store.report(error);
    }
  }

  #read(message: Buffer): WorkloadSecret {
    let response: X509SVIDResponse;
    try {
      response = fromBinary(X509SVIDResponseSchema, message);
    } catch (error) {
      throw this.#invalid(`it is no X509SVIDResponse: ${errorMessage(error)}`, error);
    }
    // The first one is the default identity (section 5.3).
    const [svid] = response.svids;
    if (svid === undefined) throw this.#invalid("it names no SVID");
    const missing = [
      svid.spiffeId === "" ? "spiffe_id" : undefined,
      svid.x509Svid.length === 0 ? "x509_svid" : undefined,
      svid.x509SvidKey.length === 0 ? "x509_svid_key" : undefined,
      svid.bundle.length === 0 ? "bundle" : undefined,
    ].filter((field) => field !== undefined);
    if (missing.length > 0) throw this.#invalid(`mandatory fields are empty: ${missing.join(", ")}`);
    const own = trustDomainOf(svid.spiffeId);
    if (own === "") throw this.#invalid(`${JSON.stringify(svid.spiffeId)} is no SPIFFE ID`);
    const pem = (der: Uint8Array): readonly string[] => splitDer(der).map((one) => toPem("CERTIFICATE", one));
    let given;
    try {
      given = {
        certificateChainPem: joinPem(pem(svid.x509Svid)),
        privateKeyPem: toPem("PRIVATE KEY", Buffer.from(svid.x509SvidKey)),
        rootPem: joinPem(pem(svid.bundle)),
        ...(response.crl.length === 0 ? {} : { crlPem: crlsOf(response) }),
        // Bundles of other trust domains must not vouch for names of this one (section 4.6): they stay apart.
        federatedBundles: new Map(
          Object.entries(response.federatedBundles).map(
            ([id, bundle]) => [foreignDomain(id, own), joinPem(pem(bundle))] as const,
          ),
        ),
      };
    } catch (error) {
      throw this.#invalid(errorMessage(error), error);
    }
    const secret = checkGivenSecret(given, `the SVID of the Workload API ${this.#target}`, this.#now());
    if (secret.spiffeId !== svid.spiffeId)
      throw this.#invalid(`it says ${svid.spiffeId}, and its certificate is for ${secret.spiffeId}`);
    return secret;
  }

  /** Report the end of a stream. Returns how long to wait, if that is not for back-off to say. */
  #failed(error: unknown): number | undefined {
    const { code, details } = GrpcError.from(error);
    const message = `the Workload API ${this.#target} ${code === "UNAVAILABLE" ? "cannot be reached" : `says ${code}`}: ${details}`;
    if (code === "PERMISSION_DENIED") {
      // An identity that is taken back is no longer used (section 5.2.1).
      this.#refused = undefined;
      this.#store.withdraw(
        new IdentityError(
          "WORKLOAD_API_DENIED",
          `${message}. Register this workload with it, or look at its log`,
          error,
        ),
      );
      return undefined;
    }
    const remedy = lasting.has(code)
      ? "Check that SPIFFE_ENDPOINT_SOCKET is a SPIFFE Workload API"
      : "Check SPIFFE_ENDPOINT_SOCKET, and that the SPIFFE agent runs";
    this.#store.report(new IdentityError("WORKLOAD_API_UNAVAILABLE", `${message}. ${remedy}`, error));
    return lasting.has(code) ? lastingDelayMs : undefined;
  }

  #invalid(reason: string, cause?: unknown): IdentityError {
    return new IdentityError(
      "WORKLOAD_API_INVALID",
      `the answer of the Workload API ${this.#target} cannot be used: ${reason}`,
      cause,
    );
  }
}

function foreignDomain(id: string, own: string): string {
  const domain = trustDomainOf(id);
  if (domain === "") throw new Error(`${id} is no SPIFFE ID of a trust domain`);
  if (domain === own) throw new Error(`a federated bundle is for ${domain} itself`);
  return domain;
}
