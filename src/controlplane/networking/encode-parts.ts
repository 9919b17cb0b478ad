/**
 * A resource as far as it can be encoded: what is wrong with one of its parts costs that part only.
 *
 * Nothing that validation lets through should come this far; this is the net below it.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import { encodeResource, type ResourceKind } from "./encode.ts";

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

/** The field that holds what belongs to single services, where a resource is made of many. */
const parts: Readonly<Partial<Record<ResourceKind, string>>> = {
  route: "virtualHosts",
  listener: "filterChains",
};

/** Encode all of it, else without the parts that cannot be. */
export function encodeParts(kind: ResourceKind, name: string, json: object): EncodedParts {
  try {
    return { bytes: encodeResource(kind, json), faults: [] };
  } catch (error) {
    const field = parts[kind];
    const list: unknown = field === undefined ? undefined : Reflect.get(json, field);
    const whole = { part: `${kind} ${name}`, reason: errorMessage(error) };
    if (field === undefined || !Array.isArray(list)) return { bytes: undefined, faults: [whole] };
    return withoutFaults(kind, name, json, field, list, whole);
  }
}

function withoutFaults(
  kind: ResourceKind,
  name: string,
  json: object,
  field: string,
  list: readonly { readonly name?: string }[],
  whole: Fault,
): EncodedParts {
  const faults: Fault[] = [];
  const sound = list.filter((part) => {
    try {
      encodeResource(kind, { ...json, [field]: [part] });
      return true;
    } catch (error) {
      faults.push({ part: `${kind} ${name}, ${part.name ?? "a part"}`, reason: errorMessage(error) });
      return false;
    }
  });
  // Every part alone is refused: the fault is in what they share.
  if (sound.length === 0) return { bytes: undefined, faults: [whole] };
  return { bytes: encodeResource(kind, { ...json, [field]: sound }), faults };
}
