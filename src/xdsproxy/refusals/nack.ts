/**
 * What Envoy's requests and refusals mean for what is refused. Pure.
 */
import { wildcardTypes } from "../../xds/type-urls.ts";

/** What Envoy asks for of a type. */
export interface AskedFacts {
  readonly typeUrl: string;
  readonly isDelta: boolean;
  /** By name; only state of the world says so. */
  readonly asked: readonly string[];
}

/** What is known when Envoy has refused a response. */
export interface NackFacts extends AskedFacts {
  /** Something of the type was accepted, by whatever Envoy. */
  readonly isKnown: boolean;
  /** This Envoy had something of the type before. */
  readonly hadBefore: boolean;
  /** No part of the response would take from Envoy what nobody could give back. */
  readonly canSpare: boolean;
}

/**
 * What a refusal calls for: finding out which resource is to blame and giving Envoy the rest, or nothing, where that
 * could make things worse or readiness is to say what an Envoy lacks that had no predecessor.
 */
export function meaningOf(facts: NackFacts): "take apart" | "leave" {
  const { typeUrl, isKnown, hadBefore, canSpare } = facts;
  const isFirstEnvoy = wildcardTypes.has(typeUrl) && !isKnown && !hadBefore;
  return !isFirstEnvoy && mayReplace(facts) && (!hadBefore || canSpare) ? "take apart" : "leave";
}

/**
 * True when a response of the agent's may take the place of one of the control plane's. In state of the world a client
 * that names what it wants of a wildcard type takes what is not there for deleted.
 */
export function mayReplace({ typeUrl, isDelta, asked }: AskedFacts): boolean {
  return isDelta || !wildcardTypes.has(typeUrl) || asked.length === 0;
}

/**
 * Refused names that Envoy no longer asks for: in state of the world, of a type that is asked for by name. An Envoy that has
 * just started names what it wants little by little, so only what it has asked for can be given up.
 */
export function namesGivenUp(
  refused: ReadonlySet<string>,
  { typeUrl, isDelta, before, asked }: AskedFacts & { readonly before: readonly string[] | undefined },
): readonly string[] {
  if (isDelta || before === undefined || wildcardTypes.has(typeUrl)) return [];
  const wanted = new Set(asked);
  const wantedBefore = new Set(before);
  return [...refused].filter((name) => wantedBefore.has(name) && !wanted.has(name));
}

/** Refused names that the control plane has no more: it takes them away, or says everything without them. */
export function namesGone(
  refused: ReadonlySet<string>,
  response: {
    readonly names: readonly string[];
    readonly removed: readonly string[];
    readonly isFull: boolean;
  },
): readonly string[] {
  const here = new Set(response.names);
  const absent = response.isFull ? [...refused].filter((name) => name !== "" && !here.has(name)) : [];
  return [...response.removed, ...absent];
}
