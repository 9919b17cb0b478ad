/** What can be wrong with a ProxyConfig. */
import { label, notText, type ProblemRow } from "./words.ts";

export const proxyConfigProblems: readonly ProblemRow[] = [
  ["spec.selector.matchLabels.app", 1, label],
  ["spec.concurrency", -1, "must be a whole number from 0 to 2147483647"],
  ["spec.environmentVariables.LEVEL", 1, notText],
  ["spec.image.imageType", 1, "must be the type of an image such as distroless"],
];
