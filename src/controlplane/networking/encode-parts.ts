/**
 * A resource as far as it can be encoded: what is wrong with one of its parts costs that part only.
 *
 * Nothing that validation lets through should come this far; this is the net below it.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
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
  readonly faults: readonly Fault[];
}

/** Encode all of it, else without the parts that cannot be. */
export function encodeParts(
  type: Pick<PushedType, "kind" | "encode" | "parts">,
  name: string,
  json: object,
): EncodedParts {
  const { kind, encode, parts: field } = type;
  try {
    return { bytes: encode(json), faults: [] };
  } catch (error) {
    const list: unknown = field === undefined ? undefined : Reflect.get(json, field);
    const whole = { part: `${kind} ${name}`, reason: errorMessage(error) };
    if (field === undefined || !Array.isArray(list)) return { bytes: undefined, faults: [whole] };
    const { sound, faults } = soundParts(list, whole.part, (part) => encode({ ...json, [field]: [part] }));
    // Every part alone is refused: the fault is in what they share.
    if (sound.length === 0) return { bytes: undefined, faults: [whole] };
    return { bytes: encode({ ...json, [field]: sound }), faults };
  }
}

function soundParts(
  list: readonly { readonly name?: string }[],
  resource: string,
  encode: (part: object) => unknown,
): { readonly sound: readonly object[]; readonly faults: readonly Fault[] } {
  const faults: Fault[] = [];
  const sound = list.filter((part) => {
    try {
      encode(part);
      return true;
    } catch (error) {
      faults.push({ part: `${resource}, ${part.name ?? "a part"}`, reason: errorMessage(error) });
      return false;
    }
  });
  return { sound, faults };
}
