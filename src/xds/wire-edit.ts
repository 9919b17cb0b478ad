/**
 * Changes to a message that leave every other byte of it as it came.
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** What becomes of a field's occurrence. */
export type Edit =
  | { readonly kind: "keep" }
  | { readonly kind: "drop" }
  | { readonly kind: "replace"; readonly value: Uint8Array };

/**
 * Edit the occurrences of a field that has a length.
 *
 * @param edit is told the number of the occurrence, from 0, and its value
 * @throws Error when the bytes are no message
 */
export function editField(
  message: Uint8Array,
  number: number,
  edit: (index: number, value: Uint8Array) => Edit,
): Buffer {
  const parts: Uint8Array[] = [];
  const reader = new BinaryReader(message);
  let keptFrom = 0;
  let index = 0;
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [field, wireType] = reader.tag();
    if (field !== number || wireType !== WireType.LengthDelimited) {
      reader.skip(wireType, field);
      continue;
    }
    const change = edit(index, reader.bytes());
    index += 1;
    if (change.kind === "keep") continue;
    parts.push(message.subarray(keptFrom, start));
    keptFrom = reader.pos;
    if (change.kind === "replace") {
      parts.push(
        new BinaryWriter().tag(number, WireType.LengthDelimited).uint32(change.value.length).finish(),
        change.value,
      );
    }
  }
  parts.push(message.subarray(keptFrom));
  return Buffer.concat(parts);
}

/** Replace the first occurrence of a field that has a length. @throws Error when the bytes are no message */
export function replaceField(message: Uint8Array, number: number, value: Uint8Array): Buffer {
  return editField(message, number, (index) => (index === 0 ? { kind: "replace", value } : { kind: "keep" }));
}
