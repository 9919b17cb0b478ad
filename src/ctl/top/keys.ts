/**
 * What keys do in `outriderctl top`. Pure.
 */
import { columns } from "./columns.ts";
import type { Choice } from "./picture.ts";

const step: Readonly<Record<string, number>> = {
  "\u001B[C": 1,
  "\u001B[D": -1,
  l: 1,
  h: -1,
  ">": 1,
  "<": -1,
};
const scroll: Readonly<Record<string, number>> = {
  "\u001B[A": -1,
  "\u001B[B": 1,
  "\u001B[5~": -10,
  "\u001B[6~": 10,
  k: -1,
  j: 1,
};

/** Quick keys come together. */
const oneKey = /\p{Cc}\[[\d;]*[A-Za-z~]|./gsu;

/** @returns undefined once one of the keys has ended it */
export function afterKeys(choice: Choice, keys: string): Choice | undefined {
  let current: Choice | undefined = choice;
  for (const [key] of keys.matchAll(oneKey)) current &&= afterKey(current, key);
  return current;
}

function afterKey(choice: Choice, key: string): Choice | undefined {
  if (key === "q" || key === "Q") return undefined;
  if (key === "r") return { ...choice, isReversed: !choice.isReversed };
  const column = (choice.column + (step[key] ?? 0) + columns.length) % columns.length;
  return { ...choice, column, scrolled: Math.max(0, choice.scrolled + (scroll[key] ?? 0)) };
}
