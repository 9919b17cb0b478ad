/**
 * Takes a refused response apart with Envoy's answers to its parts, and gives Envoy what it is to have instead.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { AcceptedResources, AcceptedType } from "../cache/accepted-resources.ts";
import type { AgentResponses, PartAnswer } from "../downstream/agent-responses.ts";
import { isolate, type Isolated } from "./isolation.ts";
import { type AskedFacts, meaningOf } from "./nack.ts";
import { changedOf, tryOlder, withoutNames } from "./older-resources.ts";
import type { Findings } from "./outcome.ts";
import { blamedOf, type RefusedResponse, type ResponseEntry } from "./refused-response.ts";
import type { Undecided } from "./undecided.ts";

/** What went before a response of the control plane. */
export interface Lead {
  /** Refused by an Envoy before this one. */
  readonly names: ReadonlySet<string>;
  /** Those of which there was an accepted one to give. */
  readonly given: ReadonlySet<string>;
  readonly isAccepted: Promise<boolean>;
}

/** What is known of a refused response when it is to be taken apart. */
export interface Mending {
  /** Envoy's words. */
  readonly error: string;
  readonly lead: Lead | undefined;
  /** Envoy had something of the type. */
  readonly hadBefore: boolean;
  readonly undecided: Undecided<ResponseEntry>;
  /** What Envoy asks for of the type at that moment. */
  readonly asked: () => AskedFacts;
}

/** What it works with. */
export interface MendingDependencies {
  readonly accepted: AcceptedResources;
  readonly responses: AgentResponses;
  readonly log: Logger;
}

/** What came of it. */
export type Mended = Pick<Findings, "blamed" | "found" | "known" | "given">;

/**
 * Find out what is refused, and give Envoy the rest of the response and the last accepted. Never rejects.
 *
 * @returns undefined when later responses have said everything of it anew
 */
export async function mend(
  run: RefusedResponse,
  { error, lead: led, hadBefore, undecided, asked }: Mending,
  deps: MendingDependencies,
): Promise<Mended | undefined> {
  if (run.isOver) return undefined;
  const { typeUrl } = run;
  const lead = (await led?.isAccepted) === true ? led : undefined;
  let suspects: readonly ResponseEntry[] = run.entries.filter(({ name }) => lead?.names.has(name) ?? true);
  let known: AcceptedType | undefined;
  let found: Isolated<ResponseEntry> = { refused: [], accepted: [], unknown: suspects };
  let given: ReadonlySet<string> | undefined;
  try {
    known = await deps.accepted.of(typeUrl);
    const isKnown = known !== undefined;
    const gone = new Set(run.entries.map(({ name }) => name).filter((name) => undecided.isGone(name)));
    known = withoutNames(known, gone);
    const canSpare = run.canSpare(known);
    if (meaningOf({ ...asked(), isKnown, hadBefore, canSpare }) === "take apart") {
      if (hadBefore) suspects = changedOf(suspects, known, undecided);
      const suspected = new Set(suspects);
      const trusted = run.entries.filter((entry) => !suspected.has(entry));
      run.trust(trusted);
      for (const entry of trusted) undecided.accepted(entry);
      const attempt = (part: readonly ResponseEntry[]): Promise<PartAnswer> =>
        tryPart(run, part, { known, undecided }, deps);
      const isNamed = ({ name }: ResponseEntry): boolean => name !== "" && error.includes(name);
      found = await isolate(suspects, isNamed, attempt, run.maxTries);
      const isSettled = found.unknown.length === 0 && !run.isReplaced;
      if (isSettled && (await tryOlder(found.refused, undecided, attempt, run.maxTries))) {
        run.takesAway(
          found.refused.flatMap(({ name }) => (gone.has(name) && !run.hasOlder(name) ? [name] : [])),
        );
        given = await giveBack(run, found, { known, lead }, deps);
      }
    }
  } catch (problem) {
    deps.log.debug("a refused response could not be taken apart", {
      type: typeUrl,
      reason: errorMessage(problem),
    });
  }
  if (run.isReplaced) return undefined;
  return { blamed: [...found.refused, ...blamedOf(found.unknown, error)], found, known, given };
}

async function tryPart(
  run: RefusedResponse,
  part: readonly ResponseEntry[],
  {
    known,
    undecided,
  }: { readonly known: AcceptedType | undefined; readonly undecided: Undecided<ResponseEntry> },
  { accepted, responses }: MendingDependencies,
): Promise<PartAnswer> {
  if (run.isReplaced) return "void";
  const next = run.attempt(part, known);
  if (next === undefined) return "accepted";
  const answer = await responses.send(next.response, () => {
    run.took(next.entries);
    for (const entry of next.entries) undecided.accepted(entry);
    keep(accepted, run, { part: next.entries, removed: next.response.removed, known });
  });
  return run.isReplaced ? "void" : answer;
}

/**
 * What Envoy has accepted of a response is kept at once, before what it answers next: a later response may leave no
 * time to do it in the end, and then counts more.
 */
function keep(
  accepted: AcceptedResources,
  run: RefusedResponse,
  {
    part,
    removed,
    known,
  }: {
    readonly part: readonly ResponseEntry[];
    readonly removed: readonly string[];
    readonly known: AcceptedType | undefined;
  },
): void {
  if (run.source !== "control plane") return;
  const { typeUrl, goesToCache } = run;
  const changed = part.map(({ resource }) => resource());
  const version = known?.version ?? "";
  accepted.acknowledged({ typeUrl, full: false, version, changed, removed }, goesToCache);
}

/** Names that Envoy has been given an accepted resource of; undefined when it would not take them. */
async function giveBack(
  run: RefusedResponse,
  { refused }: Isolated<ResponseEntry>,
  { known, lead }: { readonly known: AcceptedType | undefined; readonly lead: Lead | undefined },
  { accepted, responses }: MendingDependencies,
): Promise<ReadonlySet<string> | undefined> {
  const last = run.replaceable(refused, known).map(({ name }) => name);
  const names = new Set([...last, ...refused.flatMap(({ name }) => (run.hasOlder(name) ? [name] : []))]);
  const isLed = lead !== undefined && last.every((name) => lead.given.has(name));
  if (isLed && !run.wasTried) return names;
  const next = run.end(refused, known);
  if (next === undefined) return names;
  const answer = await responses.send(next, () => {
    keep(accepted, run, { part: [], removed: next.removed, known });
  });
  return answer === "accepted" ? names : undefined;
}
