/**
 * The difference of two texts as a unified diff, the only user of jsdiff.
 */
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";

/** Lines around a change that are shown. */
const context = 3;

/** Most lines that are removed and added for the shortest difference to be looked for, which takes the square of it. */
const mostEdits = 1_000;

/**
 * Lines of a unified diff; none when the texts are equal.
 *
 * @param maxEdits texts that differ by more lines are shown whole, one after the other
 */
export function unifiedDiff(
  before: { readonly name: string; readonly text: string },
  after: { readonly name: string; readonly text: string },
  maxEdits = mostEdits,
): readonly string[] {
  if (before.text === after.text) return [];
  const patch = createTwoFilesPatch(before.name, after.name, before.text, after.text, undefined, undefined, {
    context,
    headerOptions: FILE_HEADERS_ONLY,
    maxEditLength: maxEdits,
  });
  if (patch !== undefined) return patch.trimEnd().split("\n");
  const [old, own] = [before.text, after.text].map(linesOf) as [readonly string[], readonly string[]];
  return [
    `--- ${before.name}`,
    `+++ ${after.name}`,
    `@@ -${rangeOf(old)} +${rangeOf(own)} @@`,
    ...old.map((line) => `-${line}`),
    ...own.map((line) => `+${line}`),
  ];
}

function linesOf(text: string): readonly string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

function rangeOf(lines: readonly string[]): string {
  return `${lines.length === 0 ? 0 : 1},${lines.length}`;
}
