/** What was given for each setting: the flag, else a variable, else the default. */
import type { Given } from "./lists.ts";
import type { CaptureSetting } from "./settings.ts";

/** Where settings come from. */
export interface SettingSources {
  /** Text of a flag; undefined when it was not given. */
  readonly flag: (name: string) => string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** An empty text counts as the default, so that an injector's template may have it empty. */
export function givenSettings<Name extends string>(
  settings: Readonly<Record<Name, CaptureSetting>>,
  { flag, env }: SettingSources,
): Readonly<Record<Name, Given>> {
  const given = ({ flag: name, variables, default: fallback }: CaptureSetting): Given => {
    const fromFlag = name === undefined ? undefined : flag(name);
    if (name !== undefined && fromFlag !== undefined)
      return { source: `--${name}`, text: fromFlag.trim() || fallback };
    const variable = variables.find((candidate) => (env[candidate] ?? "").trim() !== "");
    return {
      source: variable ?? (name === undefined ? (variables[0] ?? "") : `--${name}`),
      text: variable === undefined ? fallback : (env[variable] ?? "").trim(),
    };
  };
  const entries = Object.entries<CaptureSetting>(settings).map(([name, row]) => [name, given(row)] as const);
  return Object.fromEntries(entries) as Record<Name, Given>;
}
