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

/** Two rules with the same text here do the same. */
export function normalRule(specification: string): string {
  return options(specification)
    .map(normalOption)
    .filter((option) => !implied.has(option))
    .toSorted()
    .join(" ");
}

/** Each option with its negation and its values. */
function options(specification: string): readonly (readonly string[])[] {
  const words = [...specification.matchAll(/"(?:[^"\\]|\\.)*"|\S+/g)].map(([word]) => word);
  const found: string[][] = [];
  let negation: string[] = [];
  for (const word of words) {
    if (word === "!") negation = ["!"];
    else if (word.startsWith("-") || found.length === 0) {
      found.push([...negation, word]);
      negation = [];
    } else found.at(-1)?.push(word);
  }
  return found;
}

function normalOption(words: readonly string[]): string {
  const isNegated = words[0] === "!";
  const [written = "", ...values] = isNegated ? words.slice(1) : words;
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
