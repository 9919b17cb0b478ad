/** Headers that list what a client takes, each with how much it likes it (RFC 9110, 12.4.2 and 12.5). */

/** One of a list. */
export interface AcceptEntry {
  /** In lower case. */
  readonly value: string;
  /** In lower case, without `q`. */
  readonly parameters: readonly string[];
  /** From 0, not at all, to 1. */
  readonly q: number;
}

/** Longest list that is read, in characters; what Prometheus sends has some 250. */
const longestList = 4_096;

/** Empty for a header that is not there, or too long. */
export function readAcceptList(header: string | undefined): readonly AcceptEntry[] {
  if (header === undefined || header.length > longestList) return [];
  return header.split(",").map((entry) => {
    const [value = "", ...given] = entry.split(";").map((part) => part.trim().toLowerCase());
    const weight = given.find((parameter) => parameter.startsWith("q="));
    const q = Number(weight?.slice(2) ?? "1");
    return {
      value,
      parameters: given.filter((parameter) => parameter !== weight),
      q: Number.isNaN(q) ? 0 : q,
    };
  });
}
