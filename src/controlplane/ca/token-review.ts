/**
 * Who is calling, as Kubernetes itself says: TokenReview (API reference, `authentication.k8s.io/v1`).
 *
 * A token of a pod that is gone is refused at once, and so is one of an issuer that nobody has configured; the API has to
 * answer for that.
 */
import { createHash } from "node:crypto";
import { jsonValue } from "../../document/json.ts";
import { isMapping } from "../../document/mapping.ts";
import { GrpcError } from "../../grpc/grpc-error.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { Slots } from "../../lifecycle/slots.ts";
import { Deadline } from "../../lifecycle/timer.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { KubernetesApi } from "../kubernetes/api.ts";
import { mappingOf, textOf } from "../kubernetes/resource.ts";
import { bearerToken, refuseCaller } from "./authenticate.ts";
import { type Caller, isNamespace, isServiceAccount } from "./caller.ts";

/** How long an answer counts, in milliseconds: a request is asked for twice, and a proxy opens stream and request at once. */
const answerLastsMs = 10_000;

/** How long a refusal counts, in milliseconds: one who asks again at once is no reason to ask the cluster again. */
const refusalLastsMs = 1_000;

/** Answers that are kept, and as many refusals: those of as many pods as may start in that time. */
const mostAnswers = 4_096;

/** Reviews of which the cluster is asked at once, and those that wait for one of them to end. */
const mostReviews = 64;
const mostWaiting = 1_024;

/** One review, in milliseconds. */
const reviewMs = 10_000;

/** What was answered, and when. */
interface Answer {
  readonly caller: Promise<Caller>;
  readonly atMs: number;
}

/** Asks the cluster. */
export class TokenReviewer {
  readonly #api: Pick<KubernetesApi, "send">;
  readonly #audiences: readonly string[];
  readonly #log: Logger;
  /** By the hash of the token: tokens are nowhere. Refusals crowd out no answers. */
  readonly #answers = new Map<string, Answer>();
  readonly #refusals = new Map<string, Answer>();
  readonly #slots = new Slots(mostReviews, mostWaiting);
  #isFailing = false;

  constructor(api: Pick<KubernetesApi, "send">, audiences: readonly string[], log: Logger) {
    this.#api = api;
    this.#audiences = audiences;
    this.#log = log;
  }

  /**
   * @param authorization the `authorization` metadata
   * @throws GrpcError UNAUTHENTICATED for a token that is refused, UNAVAILABLE while the cluster does not answer or there are too
   *   many to ask about
   */
  async authenticate(authorization: string | undefined): Promise<Caller> {
    const token = bearerToken(authorization);
    const key = createHash("sha256").update(token).digest("base64");
    const now = performance.now();
    const known =
      lasting(this.#answers, key, now - answerLastsMs) ?? lasting(this.#refusals, key, now - refusalLastsMs);
    if (known !== undefined) return known.caller;
    checkForm(token, new Date());
    const caller = this.#review(token);
    remember(this.#answers, key, caller);
    try {
      return await caller;
    } catch (error) {
      this.#answers.delete(key);
      // A cluster that does not answer may be well with the next question.
      if (error instanceof GrpcError && error.code === "UNAUTHENTICATED")
        remember(this.#refusals, key, caller);
      throw error;
    }
  }

  async #review(token: string): Promise<Caller> {
    const sinceMs = performance.now();
    const isTaken = await this.#slots.take();
    const isLate = performance.now() - sinceMs > reviewMs;
    if (isTaken && isLate) this.#slots.give();
    if (!isTaken || isLate)
      throw new GrpcError("UNAVAILABLE", "the token cannot be reviewed: too many others are");
    const body = {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenReview",
      spec: { token, audiences: this.#audiences },
    };
    let status: Readonly<Record<string, unknown>>;
    try {
      using deadline = new Deadline(reviewMs);
      const path = "/apis/authentication.k8s.io/v1/tokenreviews";
      const review = await this.#api.send({ method: "POST", path, body }, deadline.signal);
      status = mappingOf(review["status"]);
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#log.error("tokens cannot be reviewed", { reason: errorMessage(error) });
      this.#isFailing = true;
      // Whoever calls has proven nothing, and is not told where the cluster is.
      throw new GrpcError("UNAVAILABLE", "the token cannot be reviewed: the cluster does not answer");
    } finally {
      this.#slots.give();
    }
    return callerOf(status, this.#audiences);
  }
}

function lasting(answers: ReadonlyMap<string, Answer>, key: string, fromMs: number): Answer | undefined {
  const answer = answers.get(key);
  return answer !== undefined && answer.atMs > fromMs ? answer : undefined;
}

function remember(answers: Map<string, Answer>, key: string, caller: Promise<Caller>): void {
  answers.delete(key);
  answers.set(key, { caller, atMs: performance.now() });
  const [oldest] = answers.keys();
  if (answers.size > mostAnswers && oldest !== undefined) answers.delete(oldest);
}

/**
 * What can be seen without the cluster: a JWT (RFC 7519) that has not expired. Its signature is not looked at.
 *
 * @throws GrpcError UNAUTHENTICATED
 */
export function checkForm(token: string, now: Date): void {
  const parts = token.split(".");
  const [header, claims] = parts.slice(0, 2).map(jsonPart);
  if (parts.length !== 3 || parts[2] === "" || header === undefined || claims === undefined)
    throw refuseCaller("the token cannot be read as a JWT");
  const expiry = claims["exp"];
  if (expiry !== undefined && !(Number(expiry) * 1_000 > now.getTime() - clockSkewMs))
    throw refuseCaller("the token has expired (exp)");
}

/** What the cluster's clock may be behind, in milliseconds. */
const clockSkewMs = 60_000;

const partLimits = { maxBytes: 16_384, maxDepth: 16, maxParts: 1_024 };

function jsonPart(part: string): Readonly<Record<string, unknown>> | undefined {
  const value = jsonValue(Buffer.from(part, "base64url").toString("utf8"), partLimits);
  return isMapping(value) ? value : undefined;
}

/**
 * Whom the status of a review proves.
 *
 * @throws GrpcError UNAUTHENTICATED for nobody of a service account
 */
export function callerOf(status: Readonly<Record<string, unknown>>, audiences: readonly string[]): Caller {
  if (status["authenticated"] !== true)
    throw refuseCaller(
      "the cluster does not accept the token: it has expired, its pod is gone, or it is another cluster's",
    );
  const stated = Array.isArray(status["audiences"]) ? (status["audiences"] as readonly unknown[]) : [];
  // An API server that knows nothing of audiences leaves them out, and has not looked at them.
  if (!audiences.some((audience) => stated.includes(audience)))
    throw refuseCaller(`the token has none of the audiences ${audiences.join(", ")} (aud)`);
  const user = mappingOf(status["user"]);
  const [system, kind, namespace = "", serviceAccount = "", ...rest] = textOf(user["username"]).split(":");
  const groups = Array.isArray(user["groups"]) ? (user["groups"] as readonly unknown[]) : [];
  const isAccount =
    system === "system" &&
    kind === "serviceaccount" &&
    rest.length === 0 &&
    groups.includes("system:serviceaccounts");
  if (!isAccount || !isNamespace(namespace) || !isServiceAccount(serviceAccount))
    throw refuseCaller("the token is none of a service account");
  const [pod] = [
    mappingOf(user["extra"])["authentication.kubernetes.io/pod-name"],
  ].flat() as readonly unknown[];
  return typeof pod === "string" ? { namespace, serviceAccount, pod } : { namespace, serviceAccount };
}
