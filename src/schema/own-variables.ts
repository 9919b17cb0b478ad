/**
 * By rule each flag of outrider's own is a variable as well: a pod's template, or a service's unit, has room for those.
 */
import type { ConfigProblem } from "./config-problem.ts";
import { type FlagTexts, refuseInto, textsOfFlag } from "./flag-texts.ts";
import { type GivenTexts, readSettings, type Setting, type Settings, type SettingValues } from "./setting.ts";

/** Variables as they were given. */
export type GivenVariables = Readonly<Record<string, string | undefined>>;

/** `swapMode` as `OUTRIDER_SWAP_MODE`. */
export function variableOf(flag: string): string {
  return `OUTRIDER_${wordsOf(flag).join("_").toUpperCase()}`;
}

/** The words of a flag's name, in small letters; capitals in a row are one. */
export function wordsOf(flag: string): readonly string[] {
  return flag.split(/(?<![A-Z])(?=[A-Z])/).map((word) => word.toLowerCase());
}

/** What the variable of a flag says. */
export function textsOfVariable(env: GivenVariables, flag: string): GivenTexts | undefined {
  return givenAs(variableOf(flag), env[variableOf(flag)]);
}

/** An empty text is none: a template has nothing else to write for what nobody has set. */
export function givenAs(source: string, text: string | undefined): GivenTexts | undefined {
  return text === undefined || text.trim() === "" ? undefined : { source, texts: [text] };
}

/** A table of outrider's own flags, read, and the name under which each value is given. */
export interface OwnFlags<Rows extends Settings> {
  readonly values: SettingValues<Rows>;
  /** `--httpPort` or `OUTRIDER_HTTP_PORT`; the flag where neither is given. */
  readonly sourceOf: (flag: string & keyof Rows) => string;
}

/** Where flags are read from. */
export interface OwnSources {
  readonly flags: FlagTexts;
  readonly env: GivenVariables;
  /** Variables of others that mean the same, by flag. */
  readonly variables?: Readonly<Record<string, string>>;
}

/**
 * Read a table of flags that have no annotation: the command line before its own variable before another program's before
 * the default.
 */
export function readOwnFlags<Rows extends Settings>(
  rows: Rows,
  { flags, env, variables = {} }: OwnSources,
  problems: ConfigProblem[],
): OwnFlags<Rows> {
  const given = (name: string, setting: Setting<unknown>): GivenTexts | undefined =>
    textsOfFlag(flags, name, setting) ?? textsOfVariable(env, name) ?? textsOfOther(env, variables[name]);
  return {
    values: readSettings(rows, given, refuseInto(problems)),
    sourceOf: (name) => {
      const row: Setting<unknown> | undefined = rows[name];
      return (row === undefined ? undefined : given(name, row)?.source) ?? `--${name}`;
    },
  };
}

function textsOfOther(env: GivenVariables, variable: string | undefined): GivenTexts | undefined {
  return variable === undefined ? undefined : givenAs(variable, env[variable]);
}
