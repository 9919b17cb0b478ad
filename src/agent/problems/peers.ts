/**
 * Which peers are not trusted now, followed from one look at Envoy's statistics to the next. Pure.
 */
import type { TlsCounts } from "../../envoy/admin/tls-failures.ts";

/** Handshakes that fail, of one cluster or listener. */
export interface UntrustedPeer {
  readonly side: TlsCounts["side"];
  readonly name: string;
  readonly why: "unverified" | "wrong name" | "no certificate";
  /** Failures since they began. */
  readonly failures: number;
}

interface Seen {
  readonly counts: TlsCounts;
  /** Undefined while nothing fails. */
  readonly failing: (UntrustedPeer & { readonly atMs: number }) | undefined;
}

/** What was seen last, by side and name. */
export type PeerBook = ReadonlyMap<string, Seen>;

/** Failures that nobody has repeated for so long are a matter no more, in milliseconds. */
const forgottenMs = 600_000;

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
  const { side, name } = counts;
  const [unverified, wrongName, missing] = [grown("unverified"), grown("wrongName"), grown("missing")];
  const failed = unverified + wrongName + missing;
  if (failed > 0) {
    const why = unverified > 0 ? "unverified" : wrongName > 0 ? "wrong name" : "no certificate";
    const failures = (before?.failing?.failures ?? 0) + failed;
    return { counts, failing: { side, name, why, failures, atMs: nowMs } };
  }
  const failing = before?.failing;
  const isOver = failing === undefined || grown("handshakes") > 0 || nowMs - failing.atMs > forgottenMs;
  return { counts, failing: isOver ? undefined : failing };
}

/** Those that are not trusted now. */
export function untrustedPeers(book: PeerBook): readonly UntrustedPeer[] {
  return [...book.values()].flatMap(({ failing }) => (failing === undefined ? [] : [failing]));
}
