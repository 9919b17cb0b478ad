/**
 * Regular expressions as Envoy takes them (RE2): one that it does not would cost all routes that are pushed with it.
 */
import { RE2JS } from "re2js";

/** The largest program that Envoy makes of one: `re2.max_program_size.error_level` of the bootstrap. */
const maxProgramSize = 32_768;

/** The parts of a class that a program holds, as far as they are counted here. */
interface Instruction {
  /** First and last of each range of characters; none for what takes no character. */
  readonly runes: readonly number[];
}

/** A regular expression in RE2's syntax, of a size that Envoy takes for certain. @param mostInAll steps of its program */
export function isRe2(value: string, mostInAll = maxProgramSize): boolean {
  if (value.length > maxProgramSize) return false;
  try {
    const { inst } = RE2JS.compile(value).re2Input.prog as { readonly inst: readonly Instruction[] };
    return inst.reduce((sum, each) => sum + mostSteps(each, value.length), 0) <= mostInAll;
  } catch {
    return false;
  }
}

/** True where some part of `text` is what a regular expression says, which `isRe2` takes. */
export function isFoundBy(expression: string, text: string): boolean {
  return RE2JS.compile(expression).matcher(text).find();
}

/**
 * RE2 reads bytes, so that a character outside ASCII takes up to four steps. A class has no more of them than it is
 * long in the expression: one with a name (`\pL`) is a few, whatever it stands for.
 */
function mostSteps({ runes }: Instruction, length: number): number {
  const ranges = Math.max(1, Math.ceil(runes.length / 2));
  return runes.every((rune) => rune < 0x80) && runes.length > 0 ? ranges : 4 * Math.min(ranges, length);
}
