/**
 * Who is calling, where workloads run under Nomad: tokens that it signs for tasks (workload identity), checked against the keys
 * that it publishes (`/.well-known/jwks.json`, Nomad 1.7 and later). Other tokens are for whoever else checks some.
 */
import { jsonValue } from "../../document/json.ts";
import { isMapping } from "../../document/mapping.ts";
import { GrpcError } from "../../grpc/grpc-error.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import { Deadline } from "../../lifecycle/timer.ts";
import type { Logger } from "../../telemetry/log.ts";
import { type Authenticator, TokenAuthenticator, unknownKey } from "./authenticate.ts";
import { type Caller, readNomadSubject } from "./caller.ts";
import { parseJwks } from "./jwks.ts";

/** What the tokens are checked by. */
export interface NomadTokenOptions {
  /** Text of the key set. */
  readonly fetchKeys: (signal: AbortSignal) => Promise<string>;
  readonly audiences: readonly string[];
  readonly log: Logger;
  /** A clock that never goes back, in milliseconds; the process' own unless told. */
  readonly now?: () => number;
}

/** Keys are fetched again after this long, in milliseconds: Nomad rotates them within a month. */
const keysLastMs = 300_000;

/** For a key that is not known no sooner than this, in milliseconds: anybody may name one. */
const fetchAgainMs = 10_000;

/** One fetch, in milliseconds. */
const fetchMs = 10_000;

/** Newer keys are not waited for longer where some are known, in milliseconds: a Nomad that hangs holds up no certificate. */
const refreshMs = 1_000;

const partLimits = { maxBytes: 16_384, maxDepth: 16, maxParts: 1_024 };

/** Takes Nomad's tokens, and hands on all others. */
export class NomadTokens implements Authenticator {
  readonly #options: NomadTokenOptions;
  readonly #others: Authenticator;
  readonly #tokens: TokenAuthenticator;
  readonly #now: () => number;
  /** When keys were fetched last, or could not be. */
  #triedMs = -Infinity;
  #fetchedMs = -Infinity;
  #fetching: Promise<void> | undefined;
  #isFailing = false;

  constructor(options: NomadTokenOptions, others: Authenticator) {
    this.#options = options;
    this.#others = others;
    const { audiences, now } = options;
    this.#now = now ?? ((): number => performance.now());
    this.#tokens = new TokenAuthenticator(
      { issuer: undefined, audiences, jwks: { keys: [] } },
      readNomadSubject,
    );
  }

  /**
   * @param authorization the `authorization` metadata
   * @throws GrpcError UNAUTHENTICATED for a token that is refused, UNAVAILABLE while Nomad has not said its keys yet
   */
  async authenticate(authorization: string | undefined): Promise<Caller> {
    if (!isNomads(authorization)) return this.#others.authenticate(authorization);
    const now = this.#now();
    if (now - this.#fetchedMs > keysLastMs && now - this.#triedMs > fetchAgainMs) await this.#refresh();
    if (this.#fetchedMs === -Infinity)
      throw new GrpcError("UNAVAILABLE", "the token cannot be checked: Nomad's keys are not known yet");
    try {
      return await this.#tokens.authenticate(authorization);
    } catch (error) {
      const isUnknown = error instanceof GrpcError && error.details.includes(unknownKey);
      if (!isUnknown || this.#now() - this.#triedMs <= fetchAgainMs) throw error;
      await this.#fetch();
      return this.#tokens.authenticate(authorization);
    }
  }

  async #refresh(): Promise<void> {
    const fetched = this.#fetch();
    if (this.#fetchedMs === -Infinity) return fetched;
    const over = new AbortController();
    try {
      await Promise.race([fetched, sleep(refreshMs, over.signal)]);
    } finally {
      over.abort();
    }
  }

  /** One at a time, for all that wait for it. Never rejects: the keys that are known stay. */
  #fetch(): Promise<void> {
    this.#fetching ??= this.#fetchOnce().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetchOnce(): Promise<void> {
    using deadline = new Deadline(fetchMs);
    const { fetchKeys, log } = this.#options;
    try {
      const outcome = parseJwks(await fetchKeys(deadline.signal));
      if (outcome.kind === "unusable") throw new Error(`the key set ${outcome.problem}`);
      this.#tokens.trust(outcome.jwks);
      this.#fetchedMs = this.#now();
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) log.error("Nomad's keys cannot be fetched", { reason: errorMessage(error) });
      this.#isFailing = true;
    } finally {
      this.#triedMs = this.#now();
    }
  }
}

/** By a claim that Nomad alone makes; nothing is proven by it. */
function isNomads(authorization: string | undefined): boolean {
  const [, claims = ""] = /^Bearer [\w-]+\.([\w-]{1,16000})\./i.exec(authorization ?? "") ?? [];
  const value = jsonValue(Buffer.from(claims, "base64url").toString("utf8"), partLimits);
  return isMapping(value) && "nomad_job_id" in value;
}
