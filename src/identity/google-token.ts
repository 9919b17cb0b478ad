/**
 * A token from Google's metadata server, which vouches for the machine (Compute Engine's instance identity tokens):
 * fetched before it is needed, checked, and put where every other part reads the token.
 */
import { dirname } from "node:path";
import { writeFileAtomic } from "../files/atomic-file.ts";
import { type Backoff, backoffDelayMs } from "../lifecycle/backoff.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { makeFolder } from "../files/folder.ts";
import { sleepAsPlanned } from "../lifecycle/wall-clock.ts";
import { fetchHttp } from "../net/http-client.ts";
import type { IdentityDependencies } from "./secret-store.ts";
import { readClaims, type TokenClaims } from "./token.ts";

/** Whom to ask, and for whom the token is. */
export interface GoogleTokenOptions {
  readonly host: string;
  readonly port: number;
  readonly audience: string;
}

/** Deadline of one question, in milliseconds. */
const timeoutMs = 5_000;

/** Longest answer; a token has about 1 KiB. */
const maxBytes = 65_536;

const backoff: Backoff = { initialMs: 500, multiplier: 2, maxMs: 60_000, jitter: 0.3 };

/** How much of a token's life is left when the next one is fetched, in milliseconds, as in Istio. */
const leftMs = 25 * 60_000;

/** The same for tokens that do not live much longer than that. */
const leftShare = 0.5;

/** Mode of the token's file: its group may read it, as in Istio. */
const fileMode = 0o640;

/** Shortest time between two tokens, however short their life. Milliseconds. */
const leastRefreshMs = 1_000;

/** Milliseconds until the next token is fetched. */
export function refreshDelayMs(expiry: Date, now: Date): number {
  const lifeMs = expiry.getTime() - now.getTime();
  return Math.max(leastRefreshMs, lifeMs - Math.min(leftMs, lifeMs * leftShare));
}

/**
 * The token in a metadata server's answer.
 *
 * @throws Error in words that follow "the metadata server"
 */
export function checkAnswer(
  answer: { readonly status: number; readonly flavor: unknown; readonly text: string },
  audience: string,
  now: Date,
): { readonly token: string; readonly expiry: Date } {
  const { status, flavor } = answer;
  const token = answer.text.trim();
  if (status !== 200) throw new Error(`answers ${status}: has this machine a service account?`);
  // Whoever is not the metadata server does not say that it is.
  if (flavor !== "Google")
    throw new Error("does not say Metadata-Flavor: Google: something else answers there");
  const claims: TokenClaims | undefined = readClaims(token);
  const expiry = claims?.exp;
  if (claims === undefined || expiry === undefined)
    throw new Error("answers with something that is no token");
  if (expiry <= now)
    throw new Error(`gives a token that expired at ${expiry.toISOString()}: compare the clocks`);
  if (!claims.audiences.includes(audience))
    throw new Error(`gives a token for ${claims.audiences.join(", ") || "nobody"}, not for ${audience}`);
  return { token, expiry };
}

/** Keeps the file fresh; `run` does the work. */
export class GoogleTokens {
  readonly #options: GoogleTokenOptions;
  readonly #path: string;
  readonly #deps: Pick<IdentityDependencies, "log" | "metrics" | "now">;
  readonly #tried = Promise.withResolvers<void>();

  constructor(
    options: GoogleTokenOptions,
    path: string,
    deps: Pick<IdentityDependencies, "log" | "metrics" | "now">,
  ) {
    this.#options = options;
    this.#path = path;
    this.#deps = deps;
  }

  /** Resolves once the server was asked, whatever it said: only then is it worth looking at the file. */
  get tried(): Promise<void> {
    return this.#tried.promise;
  }

  /** Fetch, wait, fetch again, until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, metrics, now } = this.#deps;
    const fetches = metrics.counter("token_fetches_total", "Tokens asked of the metadata server.", [
      "result",
    ]);
    for (let failures = 0; !signal.aborted;) {
      let planMs: (now: Date) => number;
      try {
        const { token, expiry } = await this.#fetch(signal);
        makeFolder(dirname(this.#path), 0o750);
        writeFileAtomic(this.#path, token, fileMode);
        failures = 0;
        planMs = (at) => refreshDelayMs(expiry, at);
        fetches.inc({ result: "ok" });
        log.info("token fetched from the metadata server", {
          path: this.#path,
          expiry: expiry.toISOString(),
        });
      } catch (error) {
        if (signal.aborted) break;
        failures += 1;
        const delayMs = backoffDelayMs(backoff, failures - 1, Math.random());
        planMs = () => delayMs;
        fetches.inc({ result: "failed" });
        const fields = { reason: this.#explain(error), failures };
        if (failures === 1) log.warn("no token from the metadata server; trying again", fields);
        else log.debug("still no token from the metadata server", fields);
      }
      this.#tried.resolve();
      await sleepAsPlanned(planMs, now, signal);
    }
    this.#tried.resolve();
  }

  async #fetch(signal: AbortSignal): Promise<{ readonly token: string; readonly expiry: Date }> {
    const { host, port, audience } = this.#options;
    const query = new URLSearchParams({ audience, format: "full" }).toString();
    const { status, headers, body } = await fetchHttp({
      target: { host, port },
      url: `/computeMetadata/v1/instance/service-accounts/default/identity?${query}`,
      headers: { "metadata-flavor": "Google" },
      timeoutMs,
      maxBytes,
      signal,
    });
    const answer = { status, flavor: headers["metadata-flavor"], text: body.toString("utf8") };
    return checkAnswer(answer, audience, this.#deps.now());
  }

  #explain(error: unknown): string {
    const { host, port } = this.#options;
    return `the metadata server ${host}:${port}: ${errorMessage(error)}. Check GCE_METADATA_HOST, and that ${this.#path} can be written`;
  }
}
