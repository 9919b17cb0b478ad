/**
 * What a field of a ProxyConfig may hold. Type, bounds, default, how it is read and merged, and whether the control
 * plane is told of it follow from its one row.
 */
import {
  type DurationRange,
  longestDurationMs,
  type NumberRange,
  ports,
  portsOrNone,
} from "../../schema/range.ts";

interface Presence {
  /** One sentence for documentation; those of a message's fields are Istio's. */
  readonly describe?: string;
  /** In effect where no source has the field, as Istio's default mesh config says it; the control plane is told. */
  readonly default?: unknown;
  /** What it means that no source has the field; the control plane is told nothing. */
  readonly unset?: unknown;
  /** An empty text is a problem. */
  readonly isRequired?: boolean;
  /** The pod's annotation that sets it, over proxy.istio.io/config. */
  readonly annotation?: string;
  /** Laid together key by key, where every other field is replaced as a whole. */
  readonly isMergedByKey?: boolean;
  /** Fields of one choice: to set one is to clear the others. */
  readonly oneOf?: string;
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

/** A field's value once it is read: protobuf's JSON in one form, durations as text. */
export type Value<Row extends Field> = Row extends { readonly kind: "text" | "address" | "duration" }
  ? string
  : Row extends { readonly kind: "flag" }
    ? boolean
    : Row extends { readonly kind: "integer" | "number" }
      ? number
      : Row extends { readonly kind: "choice"; readonly names: readonly (infer Name)[] }
        ? Name
        : Row extends { readonly kind: "map"; readonly of: infer Of extends Field }
          ? Readonly<Record<string, Value<Of>>>
          : Row extends { readonly kind: "list"; readonly of: infer Of extends Field }
            ? readonly Value<Of>[]
            : Row extends { readonly kind: "message"; readonly fields: infer Inner extends Fields }
              ? Values<Inner>
              : never;

/** The values of a message's fields, as far as they are set. */
export type Values<Rows extends Fields> = { readonly [Name in keyof Rows]?: Value<Rows[Name]> };

/** Any text. */
export const text = { kind: "text" } as const satisfies Field;
/** `host:port`. */
export const address = { kind: "address" } as const satisfies Field;
/** A list of texts. */
export const texts = { kind: "list", of: text } as const satisfies Field;
/** Names to texts. */
export const textMap = { kind: "map", of: text } as const satisfies Field;

/** A protobuf BoolValue. */
export const flag = { kind: "flag", isOptional: true } as const satisfies Field;

const uint32 = 4_294_967_295;
const int32 = 2_147_483_647;

/** A TCP port. */
export const port = { kind: "integer", range: ports } as const satisfies Field;
/** A TCP port, or 0 for none. */
export const portOrNone = { kind: "integer", range: portsOrNone } as const satisfies Field;

/** A uint32, where 0 is unset. */
export const count = { kind: "integer", range: { least: 0, most: uint32 } } as const satisfies Field;

/** A non-negative int32, where 0 is unset. */
export const smallCount = { kind: "integer", range: { least: 0, most: int32 } } as const satisfies Field;

/** A whole number. */
export interface IntegerField extends Presence {
  readonly kind: "integer";
  readonly range: NumberRange;
}

/** A protobuf Int32Value. */
export function optionalCount(least: number, most: number = int32): IntegerField {
  return { kind: "integer", range: { least, most }, isOptional: true };
}

/** A length of time. */
export interface DurationField {
  readonly kind: "duration";
  readonly range: DurationRange;
  readonly isWholeSeconds?: boolean;
}

/** @param mostMs in milliseconds */
export function duration(leastMs: number, mostMs: number = longestDurationMs): DurationField {
  return { kind: "duration", range: { leastMs, mostMs } };
}

/** One of `names`, as a protobuf enum writes them. */
export function choice<const Names extends readonly string[]>(
  ...names: Names
): { readonly kind: "choice"; readonly names: Names } {
  return { kind: "choice", names };
}

/** A message of these fields and no other. */
export function message<const Rows extends Fields>(
  fields: Rows,
): { readonly kind: "message"; readonly fields: Rows } {
  return { kind: "message", fields };
}
