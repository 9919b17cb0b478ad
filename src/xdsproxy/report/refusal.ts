/**
 * A resource that Envoy refuses, and how that is told.
 */
import { shortType } from "../../xds/type-urls.ts";

/** A resource that Envoy refuses. */
export interface Refusal {
  readonly typeUrl: string;
  /** Empty when nobody can say which resource of a response it is. */
  readonly name: string;
  /** Envoy's words. */
  readonly reason: string;
  readonly since: Date;
  /** What Envoy has of that name instead. */
  readonly serves: "last accepted" | "nothing";
  /** True when an Envoy has accepted one of that name. */
  readonly wasAccepted: boolean;
  /** True when an Envoy that takes over can be given that one. */
  readonly isKept: boolean;
}

/** Why a refusal stands no more. */
export type RefusalEnd = "accepted" | "no longer wanted" | "not repeated";

/** Characters of Envoy's words in a sentence: it may print a whole resource. */
const wordsInSentence = 300;

/** A refusal as part of a sentence: what is refused, and Envoy's words for why. */
export function describeRefused({ typeUrl, name, reason }: Refusal): string {
  const type = shortType(typeUrl);
  const what = name === "" ? "of an unknown name" : JSON.stringify(name);
  const words = reason.trim().replaceAll(/\s+/g, " ");
  const why = words.length <= wordsInSentence ? words : `${words.slice(0, wordsInSentence)}…`;
  return `Envoy refuses ${type} ${what} (${why})`;
}
