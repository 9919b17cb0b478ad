/**
 * Whether the application lives, decided from the connections that it holds.
 */

/** What the connections so far say. */
export type Presence =
  /** Nobody has connected yet: an application that does not know the socket is never taken for gone. */
  | { readonly kind: "unseen" }
  | { readonly kind: "present"; readonly connections: number }
  /** The last connection is closed; a new one within the grace time undoes it. */
  | { readonly kind: "absent" };

/** One more connection. */
export function connected(presence: Presence): Presence {
  return { kind: "present", connections: presence.kind === "present" ? presence.connections + 1 : 1 };
}

/** One connection less. */
export function disconnected(presence: Presence): Presence {
  if (presence.kind !== "present" || presence.connections === 1) return { kind: "absent" };
  return { kind: "present", connections: presence.connections - 1 };
}
