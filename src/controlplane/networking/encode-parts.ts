/**
 * A resource as far as it can be encoded: what is wrong with one of its parts costs that part only, where parts stand for
 * themselves. Of filter chains one would be given the connections of another that is missing, past its guards.
 *
 * Nothing that validation lets through should come this far; this is the net below it. Parts are encoded one by one, as
 * fields of a message may stand behind each other: of a thousand virtual hosts the one that changed is encoded anew.
 */
import { createHash } from "node:crypto";
import { type Encoding, EncodingMemo } from "./encoding-memo.ts";
import type { PushedType } from "./pushed-types.ts";

/** Something that could not be translated. */
export interface Fault {
  /** Kind and name of the resource, with the name of its part. */
  readonly part: string;
  readonly reason: string;
}

/** What there is to send, and what is not in it. */
export interface EncodedParts {
  /** Undefined when nothing of the resource can be encoded. */
  readonly bytes: Uint8Array | undefined;
  /** Tells one content from another; the same at every control plane. */
  readonly version: string;
  readonly faults: readonly Fault[];
}

/** Encode all of it, else without the parts that cannot be; nothing where these go together. */
export function encodeParts(
  type: Pick<PushedType, "kind" | "encode" | "parts" | "partsGoTogether">,
  name: string,
  json: object,
  memo = new EncodingMemo(),
): EncodedParts {
  const { parts: field, kind } = type;
  const list = partsOf(type, json);
  const resource = `${kind} ${name}`;
  if (field === undefined || list === undefined) return whole(resource, memo.encodeHead(type, json));
  const head = memo.encodeHead(type, { ...json, [field]: [] });
  if (head.kind === "refused") return whole(resource, head);
  const sound: Extract<Encoding, { kind: "encoded" }>[] = [head];
  const faults: Fault[] = [];
  for (const part of list) {
    const encoding = memo.encodePart(type, field, part);
    if (encoding.kind === "encoded") sound.push(encoding);
    else faults.push({ part: `${resource}, ${part.name ?? "a part"}`, reason: encoding.reason });
  }
  const isLost = type.partsGoTogether === true && faults.length > 0;
  if (isLost || (sound.length === 1 && list.length > 0)) return { bytes: undefined, version: "", faults };
  const version = createHash("sha256")
    .update(sound.map((encoding) => encoding.version).join())
    .digest("base64url")
    .slice(0, 16);
  return { ...memo.joined(`${resource} ${version}`, version, sound), faults };
}

/** Encode the parts of a resource, which are kept: stops between them, for others to have their turn. */
export function* encodeEachPart(
  type: Pick<PushedType, "kind" | "encode" | "parts">,
  json: object,
  memo: EncodingMemo,
): Generator<void, void> {
  for (const part of partsOf(type, json) ?? []) {
    memo.encodePart(type, type.parts ?? "", part);
    yield;
  }
}

/** Undefined for a resource that has none. */
function partsOf(
  { parts: field }: Pick<PushedType, "parts">,
  json: object,
): readonly { readonly name?: string }[] | undefined {
  const list: unknown = field === undefined ? undefined : Reflect.get(json, field);
  return Array.isArray(list) ? (list as readonly { readonly name?: string }[]) : undefined;
}

function whole(resource: string, encoding: Encoding): EncodedParts {
  return encoding.kind === "encoded"
    ? { bytes: encoding.bytes, version: encoding.version, faults: [] }
    : { bytes: undefined, version: "", faults: [{ part: resource, reason: encoding.reason }] };
}
