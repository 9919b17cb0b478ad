/**
 * Which peers are not trusted now, followed from one look at Envoy's statistics to the next. Pure.
 */
import type { TlsCounts } from "../../envoy/admin/tls-failures.ts";

/** Handshakes that fail, of one cluster or listener. */
export interface UntrustedPeer {
  readonly side: TlsCounts["side"];
  readonly name: string;
  readonly why: "unverified" | "wrong name" | "no certificate";
  /** Since they began. */
  readonly failures: number;
}

/** Failures of one kind. */
interface Failing {
  readonly why: UntrustedPeer["why"];
  readonly failures: number;
  /** Looks that found more of them. */
  readonly looks: number;
  /** The last of those, on the monotonic clock. */
  readonly atMs: number;
}

interface Seen {
  readonly counts: TlsCounts;
  /** Certificates that are refused; undefined while none is. */
  readonly refused: Failing | undefined;
  /** Clients that show none. */
  readonly bare: Failing | undefined;
}

/** What was seen last, by side and name. */
export type PeerBook = ReadonlyMap<string, Seen>;

/** Failures that nobody has repeated for so long are a matter no more, in milliseconds. */
const forgottenMs = 600_000;

/**
 * Whoever reaches a listener, a scanner or a probe, can fail there: what is wrong with a client of the mesh is found
 * again by so many looks. Upstreams are called by this workload alone.
 */
const looksNeeded: Readonly<Record<TlsCounts["side"], number>> = { cluster: 1, listener: 3 };

/**
 * The book as far as it is known without a look at each peer; undefined when that is needed. Counts are kept while Envoy is
 * silent: without them old failures would be taken for new ones.
 *
 * @param hasRefused whether Envoy has refused anybody since it started; undefined when it does not answer
 */
export function peersKnown(book: PeerBook, hasRefused: boolean | undefined): PeerBook | undefined {
  if (hasRefused === undefined) return book;
  return hasRefused ? undefined : new Map();
}

/**
 * The book after a look. What fails does so until a handshake succeeds and none fails beside it.
 *
 * @param nowMs the monotonic clock
 */
export function peersSeen(book: PeerBook, all: readonly TlsCounts[], nowMs: number): PeerBook {
  return new Map(
    all.map((counts) => {
      const key = `${counts.side} ${counts.name}`;
      return [key, seen(book.get(key), counts, nowMs)] as const;
    }),
  );
}

function seen(before: Seen | undefined, counts: TlsCounts, nowMs: number): Seen {
  const grown = (field: "unverified" | "wrongName" | "missing" | "handshakes"): number => {
    const [was, is] = [before?.counts[field] ?? 0, counts[field]];
    // Another Envoy counts from 0 on.
    return is >= was ? is - was : is;
  };
  const [unverified, wrongName, missing] = [grown("unverified"), grown("wrongName"), grown("missing")];
  const hasSucceeded = grown("handshakes") > 0;
  const follow = (
    failing: Failing | undefined,
    failed: number,
    why: UntrustedPeer["why"],
  ): typeof failing => {
    if (failed > 0) {
      const { failures, looks } = failing ?? { failures: 0, looks: 0 };
      return { why, failures: failures + failed, looks: looks + 1, atMs: nowMs };
    }
    const isOver = failing === undefined || hasSucceeded || nowMs - failing.atMs > forgottenMs;
    return isOver ? undefined : failing;
  };
  const why = unverified > 0 ? "unverified" : "wrong name";
  return {
    counts,
    refused: follow(before?.refused, unverified + wrongName, why),
    bare: follow(before?.bare, missing, "no certificate"),
  };
}

/** Whether the statistics of all peers are to be asked for: to learn that what failed does so no more. */
export function isFailing(book: PeerBook): boolean {
  return book.values().some(({ refused, bare }) => refused !== undefined || bare !== undefined);
}

/** Those that are not trusted now. */
export function untrustedPeers(book: PeerBook): readonly UntrustedPeer[] {
  return [...book.values()].flatMap(({ counts: { side, name }, refused, bare }) =>
    [refused, bare].flatMap((failing) =>
      failing === undefined || failing.looks < looksNeeded[side]
        ? []
        : [{ side, name, why: failing.why, failures: failing.failures }],
    ),
  );
}
