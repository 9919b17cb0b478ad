/**
 * Takes known secrets out of everything that leaves the process, wherever in a text they stand.
 *
 * What is a secret is learned once, from the configuration; see `find-secrets.ts`. A text is looked through with one
 * expression for all of them.
 */
import { mayHoldSecret } from "./find-secrets.ts";
import { redacted, redactText } from "./redact.ts";
import { formsExpression, isDistinctive } from "./secret-forms.ts";

/** Grows as more becomes known; nothing is forgotten. */
export class Redactor {
  readonly #values = new Set<string>();
  #expression: RegExp | undefined;

  constructor(values: Iterable<string> = []) {
    this.learn(values);
  }

  /** Everything that is looked for. */
  get values(): readonly string[] {
    return [...this.#values];
  }

  /** More secrets; those that are known cost nothing. */
  learn(values: Iterable<string>): void {
    const before = this.#values.size;
    for (const value of values) {
      const trimmed = value.trim();
      if (isDistinctive(trimmed)) this.#values.add(trimmed);
    }
    if (this.#values.size > before) this.#expression = formsExpression(this.#values);
  }

  /** The text without the known secrets. */
  known(text: string): string {
    return this.#expression === undefined ? text : text.replaceAll(this.#expression, redacted);
  }

  /** The text without known secrets and without what looks like one, for what others have written. */
  all(text: string): string {
    const known = this.known(text);
    return mayHoldSecret(known) ? redactText(known) : known;
  }

  /** A copy of a JSON value without the known secrets. */
  json<T>(value: T): T {
    if (this.#expression === undefined) return value;
    const visit = (node: unknown): unknown => {
      if (typeof node === "string") return this.known(node);
      if (Array.isArray(node)) return node.map(visit);
      if (typeof node !== "object" || node === null) return node;
      return Object.fromEntries(
        Object.entries(node).map(([key, item]: [string, unknown]) => [this.known(key), visit(item)]),
      );
    };
    return visit(value) as T;
  }
}
