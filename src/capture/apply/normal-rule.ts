/**
 * One spelling for one rule: what is written and what iptables-save gives back differ in order, in numbers, and in
 * what goes without saying.
 */
import { parseCidr } from "../options/address.ts";

/** Options of iptables that have another spelling, or that say what is so anyway. */
const spellings: Readonly<Record<string, string>> = {
  "--to-port": "--to-ports",
  "--set-xmark": "--set-mark",
};
const implied: ReadonlySet<string> = new Set([
  "-m tcp",
  "-m udp",
  "--nfmask 4294967295",
  "--ctmask 4294967295",
  "--on-ip 0.0.0.0",
  "--on-ip ::",
  "-s 0.0.0.0/0",
  "-d 0.0.0.0/0",
  "-s ::/0",
  "-d ::/0",
]);

/** One option with what belongs to it. */
export interface RuleOption {
  readonly name: string;
  readonly isNegated: boolean;
  readonly values: readonly string[];
}

/** Two rules with the same text here do the same. */
export function normalRule(specification: string): string {
  return optionsOf(specification)
    .map(normalOption)
    .filter((option) => !implied.has(option))
    .toSorted()
    .join(" ");
}

/** A rule's options in their order. */
export function optionsOf(specification: string): readonly RuleOption[] {
  const words = [...specification.matchAll(/"(?:[^"\\]|\\.)*"|\S+/g)].map(([word]) => word);
  const found: { name: string; isNegated: boolean; values: string[] }[] = [];
  let isNegated = false;
  for (const word of words) {
    if (word === "!") isNegated = true;
    else if (word.startsWith("-") || found.length === 0) {
      found.push({ name: word, isNegated, values: [] });
      isNegated = false;
    } else found.at(-1)?.values.push(word);
  }
  return found;
}

function normalOption({ name: written, isNegated, values }: RuleOption): string {
  const name = spellings[written] ?? written;
  const isAddress = name === "-s" || name === "-d";
  const normal = values.map((value) =>
    isAddress ? (parseCidr(value)?.text ?? value) : normalValue(name, value),
  );
  return [...(isNegated ? ["!"] : []), name, ...normal].join(" ");
}

function normalValue(name: string, value: string): string {
  if (name === "--ctstate") return value.split(",").toSorted().join(",");
  // A mark with every bit in its mask is a mark.
  return value.replace(/\b0x[\da-f]+\b/gi, (digits) => String(Number(digits))).replace(/\/4294967295$/, "");
}
