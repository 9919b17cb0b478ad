/**
 * Which families are kept, by expressions of the operator's for names that an application chooses: so their engine takes
 * linear time, whatever both of them write. It is loaded where there are expressions.
 */

/** Expressions of RE2 for whole names; undefined keeps all. */
export interface NameExpressions {
  readonly drop: string | undefined;
  readonly keep: string | undefined;
}

/** Longest name that is looked at; a longer one counts as one that matches nothing. */
const longestName = 1_024;

/** False for a name that is left out. @throws Error for what is no expression of RE2 */
export async function nameFilter({ drop, keep }: NameExpressions): Promise<(name: string) => boolean> {
  if (drop === undefined && keep === undefined) return () => true;
  const { RE2JS } = await import("re2js");
  const matcher = (expression: string | undefined, without: boolean): ((name: string) => boolean) => {
    if (expression === undefined) return () => without;
    const compiled = RE2JS.compile(expression);
    return (name) => name.length <= longestName && compiled.matches(name);
  };
  const [isDropped, isKept] = [matcher(drop, false), matcher(keep, true)];
  return (name) => isKept(name) && !isDropped(name);
}
