/**
 * Why the API of Kubernetes gave no usable answer: a Status of its own (API reference, `meta/v1`), or none at all.
 */
import { isMapping } from "../../document/mapping.ts";
import { listAt, textAt } from "../../lifecycle/json-path.ts";

/** What to do about it. */
export type KubernetesErrorCode =
  /** Nobody answered. */
  | "UNREACHABLE"
  /** It does not know who we are, or what is between lets nobody through. */
  | "REFUSED"
  /** Kubernetes knows us, and we may not. */
  | "FORBIDDEN"
  /** Kubernetes says so itself: a page of what is between says nothing of what the cluster has. */
  | "NOT_FOUND"
  /** Somebody else was faster. */
  | "CONFLICT"
  /** What was to be gone on from is forgotten: begin anew. */
  | "GONE"
  /** It asks to come again later. */
  | "BUSY"
  /** It does not know what was asked, or it is not Kubernetes. */
  | "UNUSABLE";

/** The message says what was asked, what came of it, and what to do. */
export class KubernetesError extends Error {
  override readonly name = "KubernetesError";
  readonly code: KubernetesErrorCode;
  /** What the server asks to wait before the next request, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** What the server says of single fields; empty where it says nothing of that. */
  readonly fields: readonly FieldFault[];
  /** The server's own words; empty where there are none. */
  readonly said: string;
  /** Of HTTP; undefined where nobody answered. */
  readonly status: number | undefined;

  constructor(code: KubernetesErrorCode, message: string, options: KubernetesErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
    this.fields = options.fields ?? [];
    this.said = options.said ?? "";
    this.status = options.status;
  }
}

/** One of a Status' `details.causes`. */
export interface FieldFault {
  /** Such as `.spec.replicas`. */
  readonly field: string;
  readonly message: string;
}

interface KubernetesErrorOptions {
  readonly cause?: unknown;
  readonly retryAfterMs?: number | undefined;
  readonly fields?: readonly FieldFault[];
  readonly said?: string;
  readonly status?: number;
}

/** Longest part of an answer that is quoted, in characters. */
const quoted = 200;

/** Longest that a server may have us wait, in milliseconds. */
const mostRetryAfterMs = 60_000;

/**
 * The error that an answer is.
 *
 * @param asked what was asked, such as `GET /api/v1/pods`
 * @param retryAfter the header, in seconds
 */
export function errorOfAnswer(
  asked: string,
  status: number,
  body: unknown,
  retryAfter?: string,
): KubernetesError {
  const said = isMapping(body) && typeof body["message"] === "string" ? body["message"] : "";
  const reason = said === "" ? "" : `, ${JSON.stringify(said.slice(0, quoted))}`;
  const seconds = Number(retryAfter);
  const retryAfterMs =
    retryAfter !== undefined && seconds >= 0 ? Math.min(seconds * 1_000, mostRetryAfterMs) : undefined;
  return new KubernetesError(codeOf(status, body), `${asked}: status ${status}${reason}${remedyOf(status)}`, {
    retryAfterMs,
    fields: fieldsOf(body),
    said,
    status,
  });
}

function fieldsOf(body: unknown): readonly FieldFault[] {
  return listAt(body, "details", "causes").map((cause) => ({
    field: textAt(cause, "field") ?? "",
    message: textAt(cause, "message") ?? "",
  }));
}

function codeOf(status: number, body: unknown): KubernetesErrorCode {
  const isItsOwn = isMapping(body) && body["kind"] === "Status";
  switch (status) {
    case 401:
      return "REFUSED";
    case 403:
      return isItsOwn ? "FORBIDDEN" : "REFUSED";
    case 404:
      return isItsOwn ? "NOT_FOUND" : "UNUSABLE";
    case 409:
      return "CONFLICT";
    case 410:
      return "GONE";
    case 429:
    case 503:
    case 504:
      return "BUSY";
    default:
      return "UNUSABLE";
  }
}

function remedyOf(status: number): string {
  if (status === 401)
    return ". Look at the credential: the service account's token, or the kubeconfig's user";
  if (status === 403) return ". Bind the role of docker/kubernetes/registry.yaml to this user";
  return "";
}
