/** Texts that are made to take a parser's time, memory or stack, by what they are made of. */

const kib = 1_024;

function times(text: string, bytes: number): string {
  return text.repeat(Math.floor(bytes / text.length));
}

/** Each line has ten times the values of the one before it. */
const laughs = [
  "a0: &a0 [x, x, x, x, x, x, x, x, x, x]",
  ...Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}*a${i}]`),
].join("\n");

/** No value of it is deep, but for what its aliases stand for. */
const stairs = [
  "a0: &a0 [x]",
  ...Array.from({ length: 5_000 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}]`),
].join("\n");

export const hostileDocuments: Readonly<Record<string, string>> = {
  "100,000 brackets": times("[", 100_000),
  "100,000 braces": times("{", 100_000),
  "50,000 lists in each other": `{"tracing": ${times("[", 50_000)}${times("]", 50_000)}}`,
  "10,000 mappings in each other": `${'{"a":'.repeat(10_000)}1${times("}", 10_000)}`,
  "lists on one line": times("- ", 100_000),
  "keys on one line": times("? ", 100_000),
  "lists further in on each line": Array.from({ length: 400 }, (_, i) => `${" ".repeat(i)}-`).join("\n"),
  "mappings further in on each line": Array.from({ length: 400 }, (_, i) => `${" ".repeat(i)}a:`).join("\n"),
  "brackets that close nothing": times("]", 100_000),
  "a billion laughs": laughs,
  "aliases of aliases of aliases": stairs,
  "an alias of itself": "a: &a [*a]",
  "100,000 anchors": times("&a ", 300_000),
  "100,000 tags": times("! ", 200_000),
  "20,000 keys": Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join("\n"),
  "the same key 10,000 times": times("a: 1\n", 50_000),
  "10,000 documents": times("---\na: 1\n", 90_000),
  directives: times("%A\n", 64 * kib),
  "2 MiB": `a: ${times("x", 2_048 * kib)}`,
};

/** Words of one sort, of which a search that goes back takes the square of the time. */
export const hostileWords: readonly string[] = [
  ...[
    "1",
    "1.",
    ".1",
    "-",
    "+",
    "a",
    "{",
    "{{",
    "{{ ",
    "}",
    "[",
    '"',
    "\\",
    "\\\\",
    '\\"',
    "'",
    "`",
    "=",
    ",",
  ],
  ...[
    " ",
    "\t",
    "\n",
    "\r\n",
    ":",
    "/",
    "%",
    ".",
    "é",
    "\u{1f600}",
    "1s",
    "1e",
    "a=",
    "$(HOST_IP)",
    "{pod_ip}",
  ],
];
