/**
 * Resources and their parts that have been encoded before: what is the same object, or says the same, has the same bytes.
 */
import { createHash, hash } from "node:crypto";
import { errorMessage } from "../../lifecycle/error-message.ts";
import type { VersionedResource } from "../../xds/delta-subscription.ts";
import type { PushedType } from "./pushed-types.ts";

/** Bytes and what tells them from others, or why there are none. */
export type Encoding =
  | { readonly kind: "encoded"; readonly bytes: Uint8Array; readonly version: string }
  | { readonly kind: "refused"; readonly reason: string };

type Encoder = Pick<PushedType, "kind" | "encode">;

/** Shared by all proxies of a control plane. */
export class EncodingMemo {
  /** What whole resources came to, by the object that says them: the same for all who are told it. */
  readonly resources = new WeakMap<object, VersionedResource>();
  readonly #parts = new WeakMap<object, Encoding>();
  /** By content: what the newest model has asked for, and what only the one before it has. */
  #now = new Map<string, Encoding>();
  #before: ReadonlyMap<string, Encoding> = new Map();
  readonly #joined = new Map<string, WeakRef<Uint8Array>>();

  /** A new model comes: what has not been asked for since the last call is given up. */
  advance(): void {
    this.#before = this.#now;
    this.#now = new Map();
    for (const [key, bytes] of this.#joined) if (bytes.deref() === undefined) this.#joined.delete(key);
  }

  /** A resource without parts, or what one has beside its parts. */
  encodeHead(type: Encoder, json: object): Encoding {
    return this.#byContent(`${type.kind} head`, json, () => type.encode(json));
  }

  /** A part, as the resource that has nothing else: bytes of several such may stand behind each other. */
  encodePart(type: Encoder, field: string, part: object): Encoding {
    const known = this.#parts.get(part);
    if (known !== undefined) return known;
    const made = this.#byContent(`${type.kind} part`, part, () => type.encode({ [field]: [part] }, field));
    this.#parts.set(part, made);
    return made;
  }

  /** The bytes of several encodings behind each other; of one key the same ones as long as somebody has them. */
  joined(
    key: string,
    version: string,
    encodings: readonly { readonly bytes: Uint8Array }[],
  ): { readonly bytes: Uint8Array; readonly version: string } {
    const known = this.#joined.get(key)?.deref();
    if (known !== undefined) return { bytes: known, version };
    const bytes = new Uint8Array(encodings.reduce((sum, { bytes: { length } }) => sum + length, 0));
    let at = 0;
    for (const encoding of encodings) {
      bytes.set(encoding.bytes, at);
      at += encoding.bytes.length;
    }
    this.#joined.set(key, new WeakRef(bytes));
    return { bytes, version };
  }

  #byContent(scope: string, json: object, make: () => Uint8Array): Encoding {
    const key = `${scope} ${hash("sha256", JSON.stringify(json), "base64url")}`;
    const encoding = this.#now.get(key) ?? this.#before.get(key) ?? encodingOf(make);
    this.#now.set(key, encoding);
    return encoding;
  }
}

function encodingOf(make: () => Uint8Array): Encoding {
  try {
    const bytes = make();
    const version = createHash("sha256").update(bytes).digest("base64url").slice(0, 16);
    return { kind: "encoded", bytes, version };
  } catch (error) {
    return { kind: "refused", reason: errorMessage(error) };
  }
}
