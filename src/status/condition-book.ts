/** Since when each condition of readiness is what it is, as far as anybody has asked. */
import { type Moment, timeOf } from "../lifecycle/moment.ts";
import type { Condition, ConditionFinding } from "./contract/readiness.ts";

/** Remembers one time for each condition. */
export class ConditionBook {
  readonly #since = new Map<string, { readonly status: Condition["status"]; readonly at: Moment }>();
  readonly #now: () => Moment;

  constructor(now: () => Moment) {
    this.#now = now;
  }

  /** Note what is found. */
  dated(findings: readonly ConditionFinding[]): readonly Condition[] {
    const now = this.#now();
    return findings.map((finding) => {
      const { name, status } = finding;
      const before = this.#since.get(name);
      const at = before?.status === status ? before.at : now;
      this.#since.set(name, { status, at });
      return { ...finding, since: timeOf(at, now).toISOString() };
    });
  }
}
