/** Since when each condition of readiness is what it is, as far as anybody has asked. */
import type { Condition, ConditionFinding } from "./contract/readiness.ts";

/** Remembers one time for each condition. */
export class ConditionBook {
  readonly #since = new Map<string, { readonly status: Condition["status"]; readonly at: Date }>();
  readonly #now: () => Date;

  /** @param now the wall clock, for people */
  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Note what is found. */
  dated(findings: readonly ConditionFinding[]): readonly Condition[] {
    return findings.map((finding) => {
      const { name, status } = finding;
      const before = this.#since.get(name);
      const at = before?.status === status ? before.at : this.#now();
      this.#since.set(name, { status, at });
      return { ...finding, since: at.toISOString() };
    });
  }
}
