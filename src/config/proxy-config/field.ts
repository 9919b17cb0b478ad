/**
 * What a field of a ProxyConfig may hold. Type, bounds, how it is read and whether the control plane is told of it
 * follow from its one row.
 */
import {
  type DurationRange,
  longestDurationMs,
  type NumberRange,
  ports,
  portsOrNone,
} from "../../schema/range.ts";

interface Presence {
  /** Zero is told from unset: a wrapper or a member of a oneof to protobuf. */
  readonly isOptional?: boolean;
  /** Not in the node's metadata: a secret, or a field that is not Istio's. */
  readonly isUntold?: boolean;
}

type Kind =
  | { readonly kind: "text" }
  | { readonly kind: "flag" }
  | { readonly kind: "duration"; readonly range: DurationRange; readonly isWholeSeconds?: boolean }
  /** `isText`: protobuf's JSON writes 64 bits as text. */
  | { readonly kind: "integer"; readonly range: NumberRange; readonly isText?: boolean }
  | { readonly kind: "number"; readonly range: NumberRange }
  /** host:port. */
  | { readonly kind: "address" }
  /** A protobuf enum: a name, or its index. */
  | { readonly kind: "choice"; readonly names: readonly string[] }
  /** Names to values; text may be written as a number or a boolean. */
  | { readonly kind: "map"; readonly of: Field }
  | { readonly kind: "list"; readonly of: Field }
  | { readonly kind: "message"; readonly fields: Fields };

/** What a field holds. */
export type Field = Kind & Presence;

/** Fields by their JSON names. */
export type Fields = Readonly<Record<string, Field>>;

/** Any text. */
export const text: Field = { kind: "text" };
/** `host:port`. */
export const address: Field = { kind: "address" };
/** A list of texts. */
export const texts: Field = { kind: "list", of: text };
/** Names to texts. */
export const textMap: Field = { kind: "map", of: text };

/** A protobuf BoolValue. */
export const flag: Field = { kind: "flag", isOptional: true };

const uint32 = 4_294_967_295;
const int32 = 2_147_483_647;

/** A TCP port. */
export const port: Field = { kind: "integer", range: ports };
/** A TCP port, or 0 for none. */
export const portOrNone: Field = { kind: "integer", range: portsOrNone };

/** A uint32, where 0 is unset. */
export const count: Field = { kind: "integer", range: { least: 0, most: uint32 } };

/** A non-negative int32, where 0 is unset. */
export const smallCount: Field = { kind: "integer", range: { least: 0, most: int32 } };

/** A protobuf Int32Value. */
export function optionalCount(least: number, most: number = int32): Field {
  return { kind: "integer", range: { least, most }, isOptional: true };
}

/** @param most in milliseconds */
export function duration(
  leastMs: number,
  mostMs: number = longestDurationMs,
): Extract<Field, { kind: "duration" }> {
  return { kind: "duration", range: { leastMs, mostMs } };
}

/** One of `names`, as a protobuf enum writes them. */
export function choice(...names: readonly string[]): Field {
  return { kind: "choice", names };
}

/** A message of these fields and no other. */
export function message(fields: Fields): Field {
  return { kind: "message", fields };
}
