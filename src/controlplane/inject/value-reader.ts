/**
 * Fields of values that are nested as Helm has them: one that is there and of another kind is a problem, and counts as if it were
 * left out.
 */
import { isMapping } from "../../document/mapping.ts";
import { at } from "../../lifecycle/json-path.ts";
import { shown } from "../../schema/config-problem.ts";
import type { Fields, InjectionProblem } from "./pod.ts";

/** Reads fields of one document of values by their paths, such as `global.proxy.logLevel`. */
export class ValueReader {
  readonly problems: InjectionProblem[] = [];
  readonly #values: Fields;

  constructor(values: Fields) {
    this.#values = values;
  }

  text(path: string, fallback = ""): string {
    const taken = (value: unknown): string | undefined =>
      typeof value === "string" || typeof value === "number" ? String(value) : undefined;
    return this.#read(path, taken, "text") ?? fallback;
  }

  /** `"true"` counts too: `--set` of some programs writes it so. */
  flag(path: string, fallback: boolean): boolean {
    const taken = (value: unknown): boolean | undefined =>
      value === "true" || value === true ? true : value === "false" || value === false ? false : undefined;
    return this.#read(path, taken, "true or false") ?? fallback;
  }

  /** A whole number from 0 on, which may be written as text. */
  count(path: string, fallback: number): number {
    const taken = (value: unknown): number | undefined =>
      /^\d{1,9}$/.test(String(value)) ? Number(value) : undefined;
    return this.#read(path, taken, "a whole number from 0 on") ?? fallback;
  }

  /** Undefined where it is left out, or empty. */
  mapping(path: string): Fields | undefined {
    const taken = (value: unknown): Fields | undefined => (isMapping(value) ? value : undefined);
    const found = this.#read(path, taken, "a mapping");
    return found === undefined || Object.keys(found).length === 0 ? undefined : found;
  }

  /** What `take` makes of each element; one that it makes nothing of is a problem. */
  list<T>(path: string, take: (value: unknown) => T | undefined, kind: string): readonly T[] {
    const given = this.#read(
      path,
      (value) => (Array.isArray(value) ? (value as unknown[]) : undefined),
      "a list",
    );
    return (given ?? []).flatMap((element, index) => {
      const taken = take(element);
      if (taken === undefined) this.#refuse(`${path}[${index}]`, element, kind);
      return taken === undefined ? [] : [taken];
    });
  }

  texts(path: string): Readonly<Record<string, string>> {
    const given = Object.entries(this.mapping(path) ?? {});
    for (const [name, value] of given)
      if (typeof value !== "string") this.#refuse(`${path}.${name}`, value, "text");
    return Object.fromEntries(given.filter((pair): pair is [string, string] => typeof pair[1] === "string"));
  }

  #read<T>(path: string, take: (value: unknown) => T | undefined, kind: string): T | undefined {
    const value = at(this.#values, ...path.split("."));
    if (value === undefined || value === null) return undefined;
    const taken = take(value);
    if (taken === undefined) this.#refuse(path, value, kind);
    return taken;
  }

  #refuse(path: string, value: unknown, kind: string): void {
    this.problems.push({ path, message: `${shown(value)} is not ${kind}` });
  }
}
