/**
 * Whether an object may be created or changed (API reference, `admission.k8s.io/v1`): by the same reader that files have. Pure.
 */
import { isDeepStrictEqual } from "node:util";
import { isMapping } from "../../document/mapping.ts";
import { parsingObjectOf } from "../config/parse-documents.ts";
import type { ConfigProblem } from "../config/problem.ts";
import { type AdmissionAnswer, answerTo, refusal, requestIn, withWarnings } from "./answer.ts";

/**
 * Stops now and then for others to have their turn. Undefined for what is no AdmissionReview. What is deleted is always allowed, and so is what only changes the metadata of an
 * object that is there: it was taken as it is, and somebody waits for a finalizer or a label.
 */
export function* reviewed(review: unknown): Generator<void, AdmissionAnswer | undefined> {
  const request = requestIn(review);
  if (request === undefined) return undefined;
  const { uid, object, oldObject } = request;
  if (!isMapping(object) || isLeaving(object)) return answerTo(uid, { allowed: true });
  const { problems } = yield* parsingObjectOf("", object);
  yield;
  const errors = problems.filter(({ severity }) => severity === undefined);
  const told = withWarnings(problems.filter(({ severity }) => severity === "warning").map(textOf));
  const isOld = isSameSpec(object, oldObject) && errors.every(({ path }) => /^spec\b/.test(path));
  if (errors.length === 0 || isOld) return answerTo(uid, { allowed: true, ...told });
  return answerTo(uid, { ...refusal(errors.map(textOf)), ...told });
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
