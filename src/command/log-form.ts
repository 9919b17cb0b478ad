/**
 * The form in which a command line wants the log, for what must be said before its flags are read, or because they
 * cannot be.
 */
import { parseGoBoolean } from "../schema/go-boolean.ts";

/** True where these words ask for lines of JSON. */
export function asksForJson(words: readonly string[]): boolean {
  const end = words.indexOf("--");
  const own = end < 0 ? words : words.slice(0, end);
  const at = own.findLastIndex((word) => /^--log_as_json(=|$)/.test(word));
  if (at < 0) return false;
  const [, value] = own[at]?.split("=") ?? [];
  // The word behind a flag of this kind is its value only where it is true or false.
  const isOn = parseGoBoolean(value ?? own[at + 1] ?? "");
  return isOn ?? value === undefined;
}
