/**
 * Inputs from a corpus: each is a function of seed and number alone, so that any of them can be made again.
 */
import { mutate, seeded } from "../support/mutate.ts";

/** What inputs are made from. */
export interface Material {
  readonly corpus: readonly Buffer[];
  readonly words: readonly Buffer[];
  readonly maxBytes: number;
}

type Random = () => number;
type Step = (bytes: Buffer, random: Random, material: Material) => Buffer;

/** Values at which numbers change their meaning in one language or another. */
const numbers = [
  "0",
  "-1",
  "1",
  "127",
  "256",
  "65535",
  "65536",
  "2147483647",
  "2147483648",
  "4294967296",
  "9007199254740993",
  "1e309",
  "-0",
  "0.5",
  "NaN",
  "00",
  "0x10",
  "99999999999999999999",
].map((text) => Buffer.from(text));

const steps: readonly Step[] = [
  mutate,
  // A word where it means something, or where it should mean nothing.
  (bytes, random, { words }) => insert(bytes, pick(words, random) ?? Buffer.alloc(0), at(bytes, random)),
  (bytes, random, { words }) => replaceToken(bytes, pick(words, random) ?? Buffer.alloc(0), random),
  (bytes, random) => replaceNumber(bytes, random),
  // Part of another input.
  (bytes, random, { corpus }) =>
    insert(bytes, slice(pick(corpus, random) ?? bytes, random), at(bytes, random)),
  // A part again, or very often.
  (bytes, random) => insert(bytes, slice(bytes, random), at(bytes, random)),
  (bytes, random) => {
    const part = slice(bytes, random).subarray(0, 64);
    return insert(
      bytes,
      Buffer.concat(Array.from({ length: 2 ** Math.floor(random() * 12) }, () => part)),
      at(bytes, random),
    );
  },
  // A part gone.
  (bytes, random) => {
    const [from, to] = range(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
];

/** Input `number` of the run with `seed`. */
export function generate(material: Material, seed: number, number: number): Buffer {
  const random = seeded(Math.imul(seed, 0x9e37_79b1) ^ number);
  let bytes = pick(material.corpus, random) ?? Buffer.alloc(0);
  const count = 1 + Math.floor(random() ** 2 * 6);
  for (let step = 0; step < count; step += 1) {
    bytes = pick(steps, random)?.(bytes, random, material) ?? bytes;
    if (bytes.length === 0) bytes = pick(material.words, random) ?? bytes;
  }
  return bytes.subarray(0, material.maxBytes);
}

function pick<T>(from: readonly T[], random: Random): T | undefined {
  return from[Math.floor(random() * from.length)];
}

function at(bytes: Buffer, random: Random): number {
  return Math.floor(random() * (bytes.length + 1));
}

function range(bytes: Buffer, random: Random): [from: number, to: number] {
  const from = at(bytes, random);
  return [from, Math.min(bytes.length, from + 1 + Math.floor(random() ** 3 * bytes.length))];
}

function slice(bytes: Buffer, random: Random): Buffer {
  return bytes.subarray(...range(bytes, random));
}

function insert(bytes: Buffer, part: Buffer, index: number): Buffer {
  return Buffer.concat([bytes.subarray(0, index), part, bytes.subarray(index)]);
}

/** Something that reads as a word or a value, put out for another. */
function replaceToken(bytes: Buffer, word: Buffer, random: Random): Buffer {
  return replaceMatch(bytes, /[\w.~-]+/g, word, random);
}

function replaceNumber(bytes: Buffer, random: Random): Buffer {
  return replaceMatch(bytes, /\d+/g, pick(numbers, random) ?? Buffer.alloc(0), random);
}

function replaceMatch(bytes: Buffer, pattern: RegExp, by: Buffer, random: Random): Buffer {
  const match = pick([...bytes.toString("latin1").matchAll(pattern)], random);
  if (match === undefined) return insert(bytes, by, at(bytes, random));
  return Buffer.concat([bytes.subarray(0, match.index), by, bytes.subarray(match.index + match[0].length)]);
}
