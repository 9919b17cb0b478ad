/**
 * Settings that a command line gives, as texts.
 */
import { type ConfigProblem, shown } from "./config-problem.ts";
import {
  type GivenTexts,
  readSettings,
  type Refuse,
  type Setting,
  type Settings,
  type SettingValues,
} from "./setting.ts";

/** What was given of each flag, by its name; a flag that was not given is not in it. */
export type FlagTexts = Readonly<Record<string, readonly string[]>>;

/** The texts of a flag; undefined where it was not given, or without a value, as templates of Istio 1.5 give flags. */
export function textsOfFlag(
  flags: FlagTexts,
  name: string,
  { takesEmpty }: Pick<Setting<unknown>, "takesEmpty">,
): GivenTexts | undefined {
  const texts = Object.hasOwn(flags, name) ? flags[name] : undefined;
  if (texts === undefined || (takesEmpty !== true && texts.at(-1)?.trim() === "")) return undefined;
  return { source: `--${name}`, texts };
}

/** A text that is not taken is a problem that says what would be. */
export function refuseInto(problems: ConfigProblem[]): Refuse {
  return ({ kind, range }, source, text, { expected }) => {
    const isPlain = range !== undefined && "least" in range && range.noun === undefined && expected !== kind;
    problems.push({
      source,
      path: "",
      message: `${shown(text)} is not ${isPlain ? `${kind} ` : ""}${expected}`,
    });
  };
}

/** Read a table of settings that are flags and nothing else. */
export function readFlags<Rows extends Settings>(
  rows: Rows,
  flags: FlagTexts,
  problems: ConfigProblem[],
): SettingValues<Rows> {
  return readSettings(rows, (name, setting) => textsOfFlag(flags, name, setting), refuseInto(problems));
}
