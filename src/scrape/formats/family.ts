/**
 * Families of metrics, and how the two text formats write them (Prometheus' exposition formats, OpenMetrics 1.0).
 *
 * A family is called here as its samples are: a counter by the name that ends in `_total` and an info by the one that ends
 * in `_info`, which OpenMetrics' own lines about them leave out.
 */

/** How samples are written. */
export type Format = "text" | "openmetrics";

/** What a family is. The text format knows the first five. */
export type FamilyType =
  "counter" | "gauge" | "histogram" | "summary" | "unknown" | "info" | "stateset" | "gaugehistogram";

const textTypes: Readonly<Record<string, FamilyType>> = {
  counter: "counter",
  gauge: "gauge",
  histogram: "histogram",
  summary: "summary",
  untyped: "unknown",
};

const openMetricsTypes: Readonly<Record<string, FamilyType>> = {
  counter: "counter",
  gauge: "gauge",
  histogram: "histogram",
  summary: "summary",
  unknown: "unknown",
  info: "info",
  stateset: "stateset",
  gaugehistogram: "gaugehistogram",
};

/** Undefined for a word that the format does not know. */
export function familyType(word: string, format: Format): FamilyType | undefined {
  const types = format === "text" ? textTypes : openMetricsTypes;
  return Object.hasOwn(types, word) ? types[word] : undefined;
}

/** What is told about a family before its samples. */
export interface Metadata {
  /** As the line has it. */
  readonly written: string;
  readonly type: FamilyType | undefined;
  /** Escaped as in the text format. */
  readonly help: string | undefined;
  readonly unit: string | undefined;
}

/** A family whose samples may follow. */
export interface Family {
  /** As its samples, or the first part of their names. */
  readonly name: string;
  readonly type: FamilyType;
  readonly help: string | undefined;
  readonly unit: string | undefined;
}

/** Endings of samples' names that lines about a family in OpenMetrics leave out. */
const endings: Readonly<Partial<Record<FamilyType, string>>> = { counter: "_total", info: "_info" };

/** The family that `metadata` of a `format` announces. */
export function announced({ written, type = "unknown", help, unit }: Metadata, format: Format): Family {
  const ending = format === "openmetrics" ? (endings[type] ?? "") : "";
  return { name: written.endsWith(ending) ? written : written + ending, type, help, unit };
}

const suffixes: Readonly<Record<FamilyType, readonly string[]>> = {
  counter: [""],
  gauge: [""],
  unknown: [""],
  histogram: ["_bucket", "_sum", "_count", "_created"],
  summary: ["", "_sum", "_count", "_created"],
  gaugehistogram: ["_bucket", "_gsum", "_gcount"],
  info: [""],
  stateset: [""],
};

/** Names that its samples may have. */
export function sampleNames({ name, type }: Pick<Family, "name" | "type">): readonly string[] {
  const names = suffixes[type].map((suffix) => name + suffix);
  const total = endings.counter ?? "";
  return type === "counter" && name.endsWith(total)
    ? [...names, `${name.slice(0, -total.length)}_created`]
    : names;
}

/**
 * The name by which OpenMetrics knows a family, if it may be what it is: a counter there must be called so that its
 * samples end in `_total`.
 */
export function openMetricsName({ name, type }: Pick<Family, "name" | "type">): string | undefined {
  const ending = endings[type];
  if (ending === undefined) return name;
  return name.endsWith(ending) && name !== ending ? name.slice(0, -ending.length) : undefined;
}

/** Lines about a family, each with its end. @param type as which it is written, where that is not its own */
export function metadataLines(family: Family, format: Format, type: FamilyType = family.type): string {
  const { help, unit } = family;
  if (format === "openmetrics") {
    const name = openMetricsName({ name: family.name, type }) ?? family.name;
    return (
      `# TYPE ${name} ${type}\n` +
      (unit === undefined || !name.endsWith(`_${unit}`) ? "" : `# UNIT ${name} ${unit}\n`) +
      (help === undefined ? "" : `# HELP ${name} ${help.replaceAll('"', String.raw`\"`)}\n`)
    );
  }
  const word = textWords[family.type];
  return (
    (help === undefined ? "" : `# HELP ${family.name} ${help}\n`) +
    (word === undefined ? "" : `# TYPE ${family.name} ${word}\n`)
  );
}

/** What the text format can say of a family. */
const textWords: Readonly<Record<FamilyType, string | undefined>> = {
  counter: "counter",
  gauge: "gauge",
  histogram: "histogram",
  summary: "summary",
  unknown: "untyped",
  info: "gauge",
  stateset: "gauge",
  gaugehistogram: undefined,
};
