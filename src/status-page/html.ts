/**
 * HTML as a value: text that is put into it is escaped, so that nothing which comes from outside becomes markup.
 */

/** Markup that may be put into markup as it is. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What stands between two pieces of a template; undefined is nothing. */
export type Content = Html | string | number | undefined | readonly Content[];

/** A template whose values are escaped, but for those that are `Html`. */
export function html(pieces: TemplateStringsArray, ...contents: readonly Content[]): Html {
  return new Html(
    pieces.map((piece, index) => (index === 0 ? piece : markup(contents[index - 1]) + piece)).join(""),
  );
}

function markup(content: Content): string {
  if (content === undefined) return "";
  if (content instanceof Html) return content.text;
  if (typeof content === "object") return content.map(markup).join("");
  return escape(String(content));
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? "");
}
