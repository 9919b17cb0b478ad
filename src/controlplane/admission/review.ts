/**
 * Whether an object may be created or changed (API reference, `admission.k8s.io/v1`): by the same reader that files have. Pure.
 */
import { isDeepStrictEqual } from "node:util";
import { isMapping } from "../../document/mapping.ts";
import { parseObjectOf } from "../config/parse-documents.ts";
import type { ConfigProblem } from "../config/problem.ts";

/** The answer to an AdmissionReview. */
export interface AdmissionAnswer {
  readonly apiVersion: "admission.k8s.io/v1";
  readonly kind: "AdmissionReview";
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly warnings?: readonly string[];
    readonly status?: { readonly code: number; readonly reason: string; readonly message: string };
  };
}

/** Kubernetes cuts longer warnings off, in characters. */
const longestWarning = 256;

/** And takes so many. */
const mostWarnings = 20;

/** Of a refusal, in characters: it is printed on a terminal. */
const longestMessage = 4_096;

/**
 * Undefined for what is no AdmissionReview. What is deleted is always allowed, and so is what only changes the metadata of an
 * object that is there: it was taken as it is, and somebody waits for a finalizer or a label.
 */
export function reviewed(review: unknown): AdmissionAnswer | undefined {
  const request = isMapping(review) ? review["request"] : undefined;
  if (!isMapping(request) || typeof request["uid"] !== "string") return undefined;
  const { uid, object, oldObject } = request;
  const answer = (response: Omit<AdmissionAnswer["response"], "uid">): AdmissionAnswer => ({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    response: { uid, ...response },
  });
  if (!isMapping(object) || isLeaving(object)) return answer({ allowed: true });
  const { problems } = parseObjectOf("", object);
  const errors = problems.filter(({ severity }) => severity === undefined);
  const warnings = problems
    .filter(({ severity }) => severity === "warning")
    .map((problem) => textOf(problem).slice(0, longestWarning))
    .slice(0, mostWarnings);
  const told = warnings.length === 0 ? {} : { warnings };
  const isOld = isSameSpec(object, oldObject) && errors.every(({ path }) => /^spec\b/.test(path));
  if (errors.length === 0 || isOld) return answer({ allowed: true, ...told });
  const message = errors.map(textOf).join("; ").slice(0, longestMessage);
  return answer({ allowed: false, ...told, status: { code: 422, reason: "Invalid", message } });
}

function isLeaving({ metadata }: Readonly<Record<string, unknown>>): boolean {
  return isMapping(metadata) && typeof metadata["deletionTimestamp"] === "string";
}

function isSameSpec(object: Readonly<Record<string, unknown>>, old: unknown): boolean {
  return isMapping(old) && "spec" in object && isDeepStrictEqual(object["spec"], old["spec"]);
}

function textOf({ path, message }: ConfigProblem): string {
  return path === "" ? message : `${path}: ${message}`;
}
