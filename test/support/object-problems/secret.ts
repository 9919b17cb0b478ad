/** What can be wrong with a Secret. */
import { notText, type ProblemRow } from "./words.ts";

export const secretProblems: readonly ProblemRow[] = [
  ["apiVersion", "v2", "must be v1 for a Secret"],
  ["type", 1, notText],
  ["immutable", "yes", "must be true or false"],
  ["data.other", "a b", "must be base64 without line breaks"],
];
