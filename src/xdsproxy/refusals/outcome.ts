/**
 * What is kept and told once it is known which resources of a response Envoy refuses. Pure.
 */
import type { AcceptedType } from "../cache/accepted-resources.ts";
import type { AcknowledgedUpdate } from "../cache/cached-type.ts";
import type { Refusal } from "../report/refusal.ts";
import type { Isolated } from "./isolation.ts";
import { areRestored } from "./older-resources.ts";
import type { RefusedResponse, ResponseEntry } from "./refused-response.ts";

/** What was found out about a refused response. */
export interface Findings {
  readonly run: Pick<
    RefusedResponse,
    | "typeUrl"
    | "source"
    | "full"
    | "trusted"
    | "removed"
    | "isSuperseded"
    | "isSupersededInPart"
    | "replaceable"
    | "hasOlder"
  >;
  readonly blamed: readonly ResponseEntry[];
  readonly found: Isolated<ResponseEntry>;
  readonly known: AcceptedType | undefined;
  /** Names that Envoy was given an accepted one of; undefined when it is not known what Envoy was left with. */
  readonly given: ReadonlySet<string> | undefined;
  /** Envoy's words. */
  readonly reason: string;
  readonly at: Date;
  /** True when Envoy had something of this name before, which it keeps. */
  readonly hadBefore: (name: string) => boolean;
  /** What Envoy accepts of such a response can be given again. */
  readonly isKept: boolean;
}

/** What follows. */
export interface Outcome {
  /** Envoy has accepted this of it; undefined when that is not known, or is nobody's business. */
  readonly acknowledged: AcknowledgedUpdate | undefined;
  /** Names that Envoy has accepted by themselves. */
  readonly accepted: readonly string[];
  readonly refusals: readonly Refusal[];
}

/** Put what was found together. */
export function outcomeOf(findings: Findings): Outcome {
  const { run, blamed, found } = findings;
  const good = found.accepted.filter(({ name }) => !run.isSuperseded(name));
  // What came from the cache was acknowledged before it was kept.
  const isDecided = run.source === "control plane" && findings.given !== undefined;
  return {
    acknowledged: isDecided ? acknowledgedOf(findings, good) : undefined,
    accepted: isDecided ? good.map(({ name }) => name) : [],
    refusals: blamed.filter(({ name }) => !run.isSuperseded(name)).map((entry) => refusalOf(findings, entry)),
  };
}

function acknowledgedOf(
  { run, blamed, found, known, given = new Set() }: Findings,
  good: readonly ResponseEntry[],
): AcknowledgedUpdate {
  const { typeUrl, full, removed } = run;
  const kept = run
    .replaceable(found.refused, known)
    .flatMap(({ name }) => (given.has(name) ? (known?.get(name) ?? []) : []));
  const trusted = full ? run.trusted : good;
  const changed = [...trusted.map(({ resource }) => resource()), ...kept];
  const names = blamed.map(({ name }) => name);
  // What a later response said is not in it.
  const isWhole =
    full && !run.isSupersededInPart && found.unknown.length === 0 && areRestored(names, given, known);
  return { typeUrl, full: isWhole, version: known?.version ?? "", changed, removed };
}

function refusalOf(
  { run, known, given, reason, at, hadBefore, isKept }: Findings,
  { name, isLike }: ResponseEntry,
): Refusal {
  const last = known?.get(name);
  const wasAccepted = known?.has(name) === true || run.hasOlder(name);
  // An Envoy that refuses the very thing which another accepted has nothing to keep.
  const isLast = last !== undefined && isLike(last);
  const keepsOwn = wasAccepted && hadBefore(name) && !isLast;
  return {
    ...{ typeUrl: run.typeUrl, name, reason, since: at, wasAccepted },
    serves: given?.has(name) === true || keepsOwn ? "last accepted" : "nothing",
    isKept: last !== undefined || (run.hasOlder(name) && isKept),
  };
}
