/** What the API server is answered (API reference, `admission.k8s.io/v1`). */
import { isMapping } from "../../document/mapping.ts";

/** The answer to an AdmissionReview. */
export interface AdmissionAnswer {
  readonly apiVersion: "admission.k8s.io/v1";
  readonly kind: "AdmissionReview";
  readonly response: AdmissionResponse & { readonly uid: string };
}

/** What is said of an object. */
export interface AdmissionResponse {
  readonly allowed: boolean;
  readonly warnings?: readonly string[];
  readonly status?: { readonly code: number; readonly reason: string; readonly message: string };
  readonly patchType?: "JSONPatch";
  /** In base64. */
  readonly patch?: string;
}

/** What is asked; undefined for what is no AdmissionReview. */
export function requestIn(
  review: unknown,
): (Readonly<Record<string, unknown>> & { readonly uid: string }) | undefined {
  const request = isMapping(review) ? review["request"] : undefined;
  return isMapping(request) && typeof request["uid"] === "string"
    ? { ...request, uid: request["uid"] }
    : undefined;
}

/** The review that is answered with: `uid` is that of its request (admission.k8s.io/v1). */
export function answerTo(uid: string, response: AdmissionResponse): AdmissionAnswer {
  return { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: { uid, ...response } };
}

/** Kubernetes cuts longer warnings off, in characters. */
const longestWarning = 256;

/** And takes so many. */
const mostWarnings = 20;

/** Of a refusal, in characters: it is printed on a terminal. */
const longestMessage = 4_096;

/** Warnings beside an answer, as many and as long as are shown. */
export function withWarnings(warnings: readonly string[]): Pick<AdmissionResponse, "warnings"> {
  if (warnings.length === 0) return {};
  return { warnings: warnings.slice(0, mostWarnings).map((text) => text.slice(0, longestWarning)) };
}

/** An object that is not taken as it is. */
export function refusal(reasons: readonly string[]): Pick<AdmissionResponse, "allowed" | "status"> {
  const message = reasons.join("; ").slice(0, longestMessage);
  return { allowed: false, status: { code: 422, reason: "Invalid", message } };
}
