/**
 * Families of metrics, and how the two text formats write them (Prometheus' exposition formats, OpenMetrics 1.0).
 *
 * A family is called here as its samples are: a counter by the name that ends in `_total`, which OpenMetrics' own lines
 * about it leave out.
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

const total = "_total";

/** The family that `metadata` of a `format` announces. */
export function announced({ written, type, help, unit }: Metadata, format: Format): Family {
  const isCounter = format === "openmetrics" && type === "counter";
  return {
    name: isCounter && !written.endsWith(total) ? written + total : written,
    type: type ?? "unknown",
    help,
    unit,
  };
}

const suffixes: Readonly<Record<FamilyType, readonly string[]>> = {
  counter: [""],
  gauge: [""],
  unknown: [""],
  histogram: ["_bucket", "_sum", "_count", "_created"],
  summary: ["", "_sum", "_count", "_created"],
  gaugehistogram: ["_bucket", "_gsum", "_gcount"],
  info: ["_info"],
  stateset: [""],
};

/** Names that its samples may have. */
export function sampleNames({ name, type }: Pick<Family, "name" | "type">): readonly string[] {
  const names = suffixes[type].map((suffix) => name + suffix);
  return type === "counter" && name.endsWith(total)
    ? [...names, `${name.slice(0, -total.length)}_created`]
    : names;
}

/**
 * The name by which OpenMetrics knows a family, if it may be what it is: a counter there must be called so that its
 * samples end in `_total`.
 */
export function openMetricsName({ name, type }: Pick<Family, "name" | "type">): string | undefined {
  if (type !== "counter") return name;
  return name.endsWith(total) && name !== total ? name.slice(0, -total.length) : undefined;
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
  const { name, word } = asText(family);
  return (
    (help === undefined ? "" : `# HELP ${name} ${help}\n`) +
    (word === undefined ? "" : `# TYPE ${name} ${word}\n`)
  );
}

/** What the text format can say of a family. */
function asText({ name, type }: Family): { readonly name: string; readonly word: string | undefined } {
  switch (type) {
    case "counter":
    case "gauge":
    case "histogram":
    case "summary":
      return { name, word: type };
    case "unknown":
      return { name, word: "untyped" };
    case "info":
      return { name: `${name}_info`, word: "gauge" };
    case "stateset":
      return { name, word: "gauge" };
    case "gaugehistogram":
      return { name, word: undefined };
  }
}
