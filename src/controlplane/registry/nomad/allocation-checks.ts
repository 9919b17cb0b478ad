/**
 * How the workloads of allocations are: Nomad keeps the checks of its own services with the client that runs them, which is
 * asked now and then, as no query waits for a change of them.
 */
import { NomadError } from "./nomad-api.ts";
import { inParallel } from "./in-parallel.ts";
import { type Check, readChecks, type Registration } from "./registrations.ts";

/** Asks for the checks of one allocation. @throws NomadError */
export type AskChecks = (allocation: string) => Promise<unknown>;

/** Of the checks of one allocation, by the service that they are of. */
type Verdicts = ReadonlyMap<string, boolean>;

/** Clients that are asked at once. */
const mostQuestions = 16;

/** What is known of each allocation; one that does not answer stays as it was. */
export class AllocationChecks {
  readonly #ask: AskChecks;
  readonly #verdicts = new Map<string, Verdicts>();

  constructor(ask: AskChecks) {
    this.#ask = ask;
  }

  /** True unless a check of the service has failed, or was not yet well. */
  isWell({ allocation, service }: Registration): boolean {
    return this.#verdicts.get(allocation)?.get(service) ?? true;
  }

  /**
   * Ask for those of which nothing is known, and for all that have checks where `all` is true.
   *
   * @returns true when the answers change anything
   */
  async look(registrations: Iterable<Registration>, all: boolean): Promise<boolean> {
    const present = new Set([...registrations].map(({ allocation }) => allocation).filter((id) => id !== ""));
    for (const id of this.#verdicts.keys()) if (!present.has(id)) this.#verdicts.delete(id);
    const asked = [...present].filter((id) => {
      const known = this.#verdicts.get(id);
      // An allocation has the checks that it began with.
      return known === undefined || (all && known.size > 0);
    });
    const changes = await inParallel(asked, mostQuestions, (id) => this.#lookAt(id));
    return changes.includes(true);
  }

  async #lookAt(id: string): Promise<boolean> {
    let checks: readonly Check[] | undefined;
    try {
      checks = readChecks(await this.#ask(id));
    } catch (error) {
      if (!(error instanceof NomadError)) throw error;
      // The client is gone, or has not begun: what was known counts.
      return false;
    }
    if (checks === undefined) return false;
    const before = this.#verdicts.get(id);
    const now = verdictsOf(checks, before);
    this.#verdicts.set(id, now);
    return [...now].some(([service, isWell]) => (before?.get(service) ?? true) !== isWell);
  }
}

/** A check that is about to run again has the verdict that it had. */
function verdictsOf(checks: readonly Check[], before: Verdicts | undefined): Verdicts {
  const verdicts = new Map<string, boolean>();
  for (const { service, status } of checks) {
    const isWell = status === "pending" ? (before?.get(service) ?? false) : status === "success";
    verdicts.set(service, isWell && verdicts.get(service) !== false);
  }
  return verdicts;
}
