/**
 * A text of several YAML documents, taken apart at its marks and put together again: what is not touched stays as it was written,
 * to the byte.
 */

/** One document with the mark before it, if there is one. */
export interface DocumentText {
  readonly text: string;
  /** Lines of the whole text before it. */
  readonly linesBefore: number;
}

/** Marks at the beginning of a line begin a document wherever they are (YAML 1.2, 9.1.2). */
export function documentsOf(text: string): readonly DocumentText[] {
  const starts = [...text.matchAll(/^---(?=[ \t\r\n]|$)/gm)].map(({ index }) => index).filter((at) => at > 0);
  let linesBefore = 0;
  return [0, ...starts].map((start, index) => {
    const part = text.slice(start, starts[index]);
    const document = { text: part, linesBefore };
    linesBefore += part.split("\n").length - 1;
    return document;
  });
}

/** Several texts as one. */
export function joinedDocuments(texts: readonly string[]): string {
  return texts
    .map((text, index) => {
      const ended = text === "" || text.endsWith("\n") ? text : `${text}\n`;
      return index === 0 || /^---(?=[ \t\r\n]|$)/.test(ended) ? ended : `---\n${ended}`;
    })
    .join("");
}
