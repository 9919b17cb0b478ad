/**
 * Settings as flags of a command, and back from a call of it.
 */
import type { FlagTexts } from "../schema/flag-texts.ts";
import type { Setting, Settings } from "../schema/setting.ts";
import type { Arguments, Flag } from "./command.ts";

/**
 * Each setting as a flag of its name.
 *
 * @param also the names by which a setting can be set elsewhere
 */
export function flagsOf(
  settings: Settings,
  also?: (name: string) => readonly string[],
): Readonly<Record<string, Flag>> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, setting]) => {
      const names = also?.(name) ?? [];
      return [name, names.length === 0 ? flagOf(setting) : { ...flagOf(setting), also: names }];
    }),
  );
}

/** The texts of those of these flags that a call has. */
export function flagTexts(args: Arguments, names: readonly string[]): FlagTexts {
  return Object.fromEntries(
    names.filter((name) => args.given(name)).map((name) => [name, args.strings(name)]),
  );
}

function flagOf({
  type,
  default: value,
  defaultText,
  describe,
  range,
  values,
  parseAll,
  since,
}: Setting<unknown>): Flag {
  const fallback =
    typeof value === "boolean" || (typeof value === "number" && type === "number") ? value : defaultText;
  const hasDefault = value !== undefined && parseAll === undefined;
  return {
    type,
    describe: since === undefined ? describe : `${describe} Since ${since}.`,
    ...(hasDefault ? { default: fallback } : {}),
    ...(range === undefined ? {} : { range }),
    ...(values === undefined ? {} : { values }),
    ...(parseAll === undefined ? {} : { array: true }),
  };
}
