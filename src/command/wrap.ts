/**
 * Text in lines of a width.
 */

/** Broken between words; a word that is longer than a line is broken itself. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).flatMap((long) => pieces(long, width))) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}

/** On one line, cut between words with an ellipsis where it is longer. */
export function fitted(text: string, width: number): string {
  if (text.length <= width) return text;
  if (width <= 1) return "";
  const cut = text.slice(0, width - 1);
  const space = cut.lastIndexOf(" ");
  return `${space > width / 2 ? cut.slice(0, space) : cut}…`;
}

function pieces(word: string, width: number): readonly string[] {
  const found: string[] = [];
  for (let at = 0; at < word.length; at += Math.max(1, width)) {
    found.push(word.slice(at, at + Math.max(1, width)));
  }
  return found;
}
