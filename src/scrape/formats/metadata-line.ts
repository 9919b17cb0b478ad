/** Lines that begin with `#`: what they tell of a family. */
import { type FamilyType, familyType, type Format } from "./family.ts";

/** One line. */
export type MetadataLine =
  | { readonly kind: "type"; readonly name: string; readonly type: FamilyType }
  | { readonly kind: "help" | "unit"; readonly name: string; readonly text: string }
  | { readonly kind: "eof" | "comment" | "invalid" };

const line = /^#[ \t]+(HELP|TYPE|UNIT)[ \t]+([a-zA-Z_:][a-zA-Z0-9_:]*)(?:[ \t]+(.*))?$/s;

/** @param text without the end of the line */
export function readMetadataLine(text: string, format: Format): MetadataLine {
  const [, keyword, name = "", rest = ""] = line.exec(text) ?? [];
  switch (keyword) {
    case "TYPE": {
      const type = familyType(rest.trim(), format);
      return type === undefined ? { kind: "invalid" } : { kind: "type", name, type };
    }
    case "HELP":
      return { kind: "help", name, text: readHelp(rest, format) };
    case "UNIT":
      return format === "openmetrics" ? { kind: "unit", name, text: rest.trim() } : { kind: "comment" };
    default:
      if (/^#[ \t]+(?:HELP|TYPE)(?:[ \t]|$)/.test(text)) return { kind: "invalid" };
      return text === "# EOF" ? { kind: "eof" } : { kind: "comment" };
  }
}

/** Escapes are those of the text format, and there are no others: a backslash and the end of a line. */
function readHelp(rest: string, format: Format): string {
  return rest.replaceAll(/\\([\\n"]?)/g, (found, known: string) => {
    if (known === '"') return format === "text" ? String.raw`\\"` : '"';
    return known === "" ? String.raw`\\` : found;
  });
}
