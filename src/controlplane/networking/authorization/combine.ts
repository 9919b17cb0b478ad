/**
 * How Envoy's RBAC combines rules of one kind: principals and permissions do it alike, under names of their own.
 */

/** The words of one kind. */
export interface Words<Rule> {
  /** What matches everything. */
  readonly any: Rule;
  readonly or: (rules: readonly Rule[]) => Rule;
  readonly and: (rules: readonly Rule[]) => Rule;
  readonly not: (rule: Rule) => Rule;
}

/** Rules of one kind, combined. */
export interface Combined<Rule> {
  /** One of these. */
  readonly anyOf: (rules: readonly Rule[]) => Rule;
  /** All of these; everything when there are none. */
  readonly allOf: (rules: readonly Rule[]) => Rule;
  /** One of `values`, and none of `notValues`. */
  readonly among: (
    to: (value: string) => Rule,
    values: readonly string[] | undefined,
    notValues: readonly string[] | undefined,
  ) => readonly Rule[];
}

/** A single rule stands for itself. */
export function combinedWith<Rule>({ any, or, and, not }: Words<Rule>): Combined<Rule> {
  const anyOf = (rules: readonly Rule[]): Rule => {
    const [only, ...others] = rules;
    return only !== undefined && others.length === 0 ? only : or(rules);
  };
  return {
    anyOf,
    allOf: (rules) => {
      const [only, ...others] = rules;
      if (only === undefined) return any;
      return others.length === 0 ? only : and(rules);
    },
    among: (to, values, notValues) => [
      ...(values === undefined ? [] : [anyOf(values.map(to))]),
      ...(notValues === undefined ? [] : [not(anyOf(notValues.map(to)))]),
    ],
  };
}
