/**
 * Who is calling, as Kubernetes itself says: TokenReview (API reference, `authentication.k8s.io/v1`).
 *
 * A token of a pod that is gone is refused at once, and so is one of an issuer that nobody has configured; the API has to
 * answer for that.
 */
import { createHash } from "node:crypto";
import { GrpcError } from "../../grpc/grpc-error.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import type { KubernetesApi } from "../kubernetes/api.ts";
import { mappingOf, textOf } from "../kubernetes/resource.ts";
import { bearerToken, refuseCaller } from "./authenticate.ts";
import { type Caller, isNamespace, isServiceAccount } from "./caller.ts";

/** How long an answer counts, in milliseconds: a request is asked for twice, and a proxy opens stream and request at once. */
const answerLastsMs = 10_000;

/** Answers that are kept: those of as many pods as may start in that time. */
const mostAnswers = 4_096;

/** What was answered, and when. */
interface Answer {
  readonly caller: Promise<Caller>;
  readonly atMs: number;
}

/** Asks the cluster. */
export class TokenReviewer {
  readonly #api: KubernetesApi;
  readonly #audiences: readonly string[];
  /** By the hash of the token: tokens are nowhere. */
  readonly #answers = new Map<string, Answer>();

  constructor(api: KubernetesApi, audiences: readonly string[]) {
    this.#api = api;
    this.#audiences = audiences;
  }

  /**
   * @param authorization the `authorization` metadata
   * @throws GrpcError UNAUTHENTICATED for a token that is refused, UNAVAILABLE while the cluster does not answer
   */
  async authenticate(authorization: string | undefined): Promise<Caller> {
    const token = bearerToken(authorization);
    const key = createHash("sha256").update(token).digest("base64");
    const known = this.#answers.get(key);
    if (known !== undefined && performance.now() - known.atMs < answerLastsMs) return known.caller;
    const caller = this.#review(token);
    this.#answers.delete(key);
    this.#answers.set(key, { caller, atMs: performance.now() });
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > mostAnswers && oldest !== undefined) this.#answers.delete(oldest);
    try {
      return await caller;
    } catch (error) {
      // What is refused may be well with the next question, and is no reason to remember anything.
      this.#answers.delete(key);
      throw error;
    }
  }

  async #review(token: string): Promise<Caller> {
    const body = {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenReview",
      spec: { token, audiences: this.#audiences },
    };
    let status: Readonly<Record<string, unknown>>;
    try {
      const path = "/apis/authentication.k8s.io/v1/tokenreviews";
      const review = await this.#api.send({ method: "POST", path, body }, new AbortController().signal);
      status = mappingOf(review["status"]);
    } catch (error) {
      throw new GrpcError("UNAVAILABLE", `the token cannot be reviewed: ${errorMessage(error)}`);
    }
    return callerOf(status, this.#audiences);
  }
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
