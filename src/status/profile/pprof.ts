/**
 * A CPU profile in the form that `go tool pprof` reads (google/pprof, proto/profile.proto).
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { type CpuProfile, sampleEveryUs } from "./cpu-profile.ts";

/** Numbers of the fields that are written. */
const fields = {
  profile: {
    sampleType: 1,
    sample: 2,
    location: 4,
    function: 5,
    strings: 6,
    timeNanos: 9,
    durationNanos: 10,
    periodType: 11,
    period: 12,
  },
  valueType: { type: 1, unit: 2 },
  sample: { locations: 1, values: 2 },
  location: { id: 1, line: 4 },
  line: { function: 1, line: 2 },
  function: { id: 1, name: 2, systemName: 3, file: 4 },
} as const;

/** What pprof's wire format writes with. */
type Write = (writer: BinaryWriter) => BinaryWriter;

/**
 * The message, not compressed.
 *
 * @param takenAt when sampling began
 */
export function encodePprof(profile: CpuProfile, takenAt: Date): Uint8Array {
  const strings = new Map<string, number>([["", 0]]);
  const index = (text: string): number => {
    const known = strings.get(text) ?? strings.size;
    strings.set(text, known);
    return known;
  };
  const writer = new BinaryWriter();
  const { profile: field } = fields;
  const valueType = (type: string, unit: string): Write => {
    const numbers = [index(type), index(unit)] as const;
    return (inner) =>
      varint(varint(inner, fields.valueType.type, numbers[0]), fields.valueType.unit, numbers[1]);
  };
  message(writer, field.sampleType, valueType("samples", "count"));
  message(writer, field.sampleType, valueType("cpu", "nanoseconds"));
  for (const { stack, hits } of stacksOf(profile)) {
    message(writer, field.sample, (inner) =>
      packed(packed(inner, fields.sample.locations, stack), fields.sample.values, [
        hits,
        hits * sampleEveryUs * 1_000,
      ]),
    );
  }
  for (const { id, callFrame } of profile.nodes) {
    const name = index(callFrame.functionName || "(anonymous)");
    const file = index(callFrame.url);
    const line = Math.max(0, callFrame.lineNumber + 1);
    message(writer, field.location, (inner) =>
      message(varint(inner, fields.location.id, id), fields.location.line, (deeper) =>
        varint(varint(deeper, fields.line.function, id), fields.line.line, line),
      ),
    );
    message(writer, field.function, (inner) =>
      varint(
        varint(
          varint(varint(inner, fields.function.id, id), fields.function.name, name),
          fields.function.systemName,
          name,
        ),
        fields.function.file,
        file,
      ),
    );
  }
  varint(writer, field.timeNanos, takenAt.getTime() * 1_000_000);
  varint(writer, field.durationNanos, (profile.endTime - profile.startTime) * 1_000);
  message(writer, field.periodType, valueType("cpu", "nanoseconds"));
  varint(writer, field.period, sampleEveryUs * 1_000);
  for (const text of strings.keys()) writer.tag(field.strings, WireType.LengthDelimited).string(text);
  return writer.finish();
}

/** Each place that was seen working, innermost frame first. A process that waits uses no processor. */
function stacksOf({
  nodes,
}: CpuProfile): readonly { readonly stack: readonly number[]; readonly hits: number }[] {
  const parents = new Map(
    nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)),
  );
  return nodes.flatMap((node) => {
    if (!node.hitCount || node.callFrame.functionName === "(idle)") return [];
    const stack: number[] = [];
    for (let id: number | undefined = node.id; id !== undefined; id = parents.get(id)) stack.push(id);
    // The last one is V8's root, which is the same for all.
    return [{ stack: stack.length > 1 ? stack.slice(0, -1) : stack, hits: node.hitCount }];
  });
}

function message(writer: BinaryWriter, field: number, write: Write): BinaryWriter {
  return write(writer.tag(field, WireType.LengthDelimited).fork()).join();
}

function varint(writer: BinaryWriter, field: number, value: number): BinaryWriter {
  return writer.tag(field, WireType.Varint).int64(BigInt(Math.round(value)));
}

function packed(writer: BinaryWriter, field: number, values: readonly number[]): BinaryWriter {
  return message(writer, field, (inner) => values.reduce((list, value) => list.int64(BigInt(value)), inner));
}
