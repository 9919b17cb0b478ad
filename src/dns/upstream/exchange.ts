/**
 * One query to one upstream, and what it comes to.
 */
import { flag, rcode } from "../wire/constants.ts";
import { isWhole } from "../wire/records.ts";

/** A query as an upstream gets it. */
export interface Outgoing {
  /** With an ID of its own in place of the client's, and letters of its name in random case. */
  readonly message: Buffer;
  /** Where its question ends. */
  readonly questionEnd: number;
}

/** What came of it. */
export type Outcome =
  | { readonly kind: "answered"; readonly message: Buffer }
  /** Over UDP it did not all fit. */
  | { readonly kind: "truncated"; readonly message: Buffer }
  /** The question came back in another case: an answer that somebody may have made up. */
  | { readonly kind: "case lost" }
  | { readonly kind: "failed"; readonly reason: string };

/** Why a query is given up: its outcome has failed for that reason. */
export const givenUp = {
  tooLate: "no answer in time",
  notNeeded: "another try was answered",
  closed: "the DNS proxy closes",
} as const;

export type GivenUp = (typeof givenUp)[keyof typeof givenUp];

/** A query that was sent. Its outcome is told once, and never while it is being sent. */
export interface Sent {
  /** End it, if it has not ended; the outcome is told at once. */
  giveUp(reason: GivenUp): void;
}

/** Told what a query came to. */
export type OnOutcome = (outcome: Outcome) => void;

/** Whether a message answers a query that was sent: `no` is somebody else's business or a forgery. */
export type Match = "yes" | "no" | "other case";

/** Compare a message with a query, without regard to the ID. */
export function matchOf(answer: Buffer, { message, questionEnd }: Outgoing): Match {
  if (answer.length < questionEnd || ((answer[2] ?? 0) & flag.response) === 0) return "no";
  if (((answer[2] ?? 0) & 0x78) !== 0 || answer.readUInt16BE(4) !== 1) return "no";
  let isSameCase = true;
  for (let at = 12; at < questionEnd; at += 1) {
    const [sent, got] = [message[at] ?? 0, answer[at] ?? 0];
    if (sent === got) continue;
    // Only letters may differ, and only in case.
    if ((sent ^ got) !== 0x20 || at >= questionEnd - 5 || !isLetter(sent)) return "no";
    isSameCase = false;
  }
  return isSameCase ? "yes" : "other case";
}

/** What a message comes to that answers a query, and has arrived in full. */
export function outcomeOf(message: Buffer, { questionEnd }: Pick<Outgoing, "questionEnd">): Outcome {
  return isWhole(message, questionEnd)
    ? { kind: "answered", message }
    : { kind: "failed", reason: "its answer lies about its length" };
}

/** True for an answer after which another upstream is worth a try. */
export function isFailure(message: Buffer): boolean {
  const code = (message[3] ?? 0) & 0x0f;
  return code === rcode.servFail || code === rcode.refused || code === rcode.notImp;
}

/**
 * The query with another ID and its name's letters in random case (draft-vixie-dnsext-dns0x20).
 *
 * @param random 32 bits, of which each letter takes one: 0 for lower case throughout
 */
export function disguised(query: Buffer, questionEnd: number, id: number, random: number): Outgoing {
  const message = Buffer.from(query);
  message.writeUInt16BE(id, 0);
  for (let at = 12; at < questionEnd - 5;) {
    const end = at + 1 + (message[at] ?? 0);
    for (at += 1; at < end; at += 1) {
      const byte = message[at] ?? 0;
      if (isLetter(byte)) message[at] = ((random >>> (at & 31)) & 1) === 0 ? byte | 0x20 : byte & ~0x20;
    }
  }
  return { message, questionEnd };
}

/** The answer as the client asked: its ID, its question's case. */
export function undisguised(answer: Buffer, query: Buffer, questionEnd: number): Buffer {
  query.copy(answer, 0, 0, 2);
  query.copy(answer, 12, 12, questionEnd);
  return answer;
}

function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}
