/**
 * Values of flags, read: each gives what it has understood, and adds to the problems what it has not.
 */
import { type ConfigProblem, shown } from "../../schema/config-problem.ts";
import { parseGoBoolean } from "../../schema/go-boolean.ts";
import { describeRange, isWithin, type NumberRange, ports } from "../../schema/range.ts";
import { type Cidr, parseCidr } from "./address.ts";
import type { All } from "./options.ts";

/** A value and where it came from: `--envoy-port`, or the name of a variable. */
export interface Given {
  readonly source: string;
  readonly text: string;
}

/** One item of a list; undefined is not one. */
type Read<T> = (item: string) => T | undefined;

/** The items of a comma-separated list, without blanks and repetitions. */
export function readList<T>(
  { source, text }: Given,
  kind: string,
  read: Read<T>,
  problems: ConfigProblem[],
): readonly T[] {
  const items = [...new Set(text.split(",").map((item) => item.trim()))].filter((item) => item !== "");
  return items.flatMap((item) => {
    const value = read(item);
    if (value !== undefined) return [value];
    problems.push({ source, path: "", message: `${shown(item)} is not ${kind}` });
    return [];
  });
}

/** `*`, or a list. */
export function readAll<T>(given: Given, kind: string, read: Read<T>, problems: ConfigProblem[]): All<T> {
  return given.text.trim() === "*" ? "*" : readList(given, `* or ${kind}`, read, problems);
}

/** The least of the range where it is no such number. */
export function readNumber(given: Given, range: NumberRange, problems: ConfigProblem[]): number {
  const value = wholeNumber(given.text.trim());
  if (value !== undefined && isWithin(value, range)) return value;
  problems.push({
    source: given.source,
    path: "",
    message: `${shown(given.text)} is not ${describeRange(range)}`,
  });
  return range.least;
}

/** As Go's ParseBool reads it. */
export function readBoolean({ source, text }: Given, problems: ConfigProblem[]): boolean {
  const value = parseGoBoolean(text);
  if (value === undefined)
    problems.push({ source, path: "", message: `${shown(text)} is not true or false` });
  return value ?? false;
}

/** What an item has to be, to stand after "is not". */
export const kinds = {
  port: describeRange(ports),
  cidr: "a block of addresses, such as 10.0.0.0/8 or fd00::/8",
  interface: "the name of a network interface",
} as const;

/** A port. */
export const port: Read<number> = (item) => {
  const value = wholeNumber(item);
  return value !== undefined && isWithin(value, ports) ? value : undefined;
};

/** A block of addresses. */
export const cidr: Read<Cidr> = parseCidr;

/**
 * A name of an interface (Linux, dev_valid_name), at most 15 bytes; one that ends with + means all that begin so, as in
 * iptables. Quotes and asterisks would mean something else to iptables-restore and nft.
 */
export const networkInterface: Read<string> = (item) =>
  /^[\w.@:-]{1,15}$|^[\w.@:-]{1,14}\+$/.test(item) && item !== "." && item !== ".." && !item.startsWith("-")
    ? item
    : undefined;

/** A numeric ID of a user or a group. */
export function wholeNumber(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
