/**
 * What somebody who mistyped a word has meant.
 */
import { distance } from "fastest-levenshtein";

/**
 * The nearest of these words, if one is near: one letter in three may differ, and two that changed places always may.
 * Case, dashes and underscores do not count.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const plain = plainWord(word);
  const most = plain.length < 4 ? 1 : Math.max(2, Math.floor(plain.length / 3));
  const ranked = known
    .map((candidate) => ({ candidate, off: distance(plain, plainWord(candidate)) }))
    .toSorted((a, b) => a.off - b.off);
  const [first] = ranked;
  return first === undefined || first.off > most ? undefined : first.candidate;
}

function plainWord(word: string): string {
  return word.toLowerCase().replaceAll(/[-_]/g, "");
}
