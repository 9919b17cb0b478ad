/**
 * The difference of two texts as a unified diff, the only user of jsdiff.
 */
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";

/** Lines around a change that are shown. */
const context = 3;

/** Lines of a unified diff; none when the texts are equal. */
export function unifiedDiff(
  before: { readonly name: string; readonly text: string },
  after: { readonly name: string; readonly text: string },
): readonly string[] {
  if (before.text === after.text) return [];
  const patch = createTwoFilesPatch(before.name, after.name, before.text, after.text, undefined, undefined, {
    context,
    headerOptions: FILE_HEADERS_ONLY,
  });
  return patch.trimEnd().split("\n");
}
