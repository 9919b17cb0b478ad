/**
 * A swap that is interrupted: what becomes of the newcomer.
 *
 * By hot restart a newcomer takes the old Envoy's admin interface as soon as it starts, and the listeners only when it
 * is LIVE: one that is killed in between leaves an Envoy behind that cannot be told to drain and whose connections
 * nobody can count. A newcomer that becomes LIVE drains its parent itself, and can be drained.
 */
import type { TakeOverMode } from "./state.ts";

/** How long a stop waits for a newcomer to become LIVE, in milliseconds: most need a tenth of it. */
const stopPatienceMs = 3_000;

/** Where the newcomer stands. */
export interface NewcomerMoment {
  readonly mode: TakeOverMode;
  /** From then on it has the listeners, where it takes them over. */
  readonly isLive: boolean;
  /** The agent is to stop; undefined for as long as nobody has asked for it. */
  readonly stopForMs: number | undefined;
  /** There is nothing to wait for: the old Envoy is gone, or whoever asked to stop wants it at once. */
  readonly isCut: boolean;
}

/** What follows. */
export type NewcomerStep =
  /** The swap goes on; for so many milliseconds at most, where that is bounded. */
  | { readonly kind: "go-on"; readonly forMs: number | undefined }
  /** It is the one that serves, proven or not. */
  | { readonly kind: "take-over" }
  /** The old one serves on. */
  | { readonly kind: "abandon" };

/** Decide. */
export function nextNewcomerStep({ mode, isLive, stopForMs, isCut }: NewcomerMoment): NewcomerStep {
  if (stopForMs === undefined && !isCut) return { kind: "go-on", forMs: undefined };
  if (mode === "overlap") return { kind: "abandon" };
  if (isLive) return { kind: "take-over" };
  const leftMs = stopPatienceMs - (stopForMs ?? stopPatienceMs);
  return isCut || leftMs <= 0 ? { kind: "abandon" } : { kind: "go-on", forMs: leftMs };
}
