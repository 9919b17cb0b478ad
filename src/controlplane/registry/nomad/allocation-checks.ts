/**
 * How the workloads of allocations are: Nomad keeps the checks of its own services with the client that runs them, which is
 * asked now and then, as no query waits for a change of them.
 */
import { severalAtOnce } from "../../../lifecycle/several-at-once.ts";
import { NomadError } from "./nomad-api.ts";
import { type Check, readChecks, type Registration } from "./registrations.ts";

/** Asks for the checks of one allocation. @throws NomadError */
export type AskChecks = (allocation: string) => Promise<unknown>;

/** Of the checks of one allocation, by the service that they are of. */
type Verdicts = ReadonlyMap<string, boolean>;

/** Clients that are asked at once. */
const mostQuestions = 16;

/** What is known of one allocation. */
interface Known {
  readonly verdicts: Verdicts;
  readonly isAnswered: boolean;
  /** Looks at all that have passed since it was asked first. */
  looks: number;
}

/** What is known of each allocation; one that does not answer stays as it was. */
export class AllocationChecks {
  readonly #ask: AskChecks;
  readonly #known = new Map<string, Known>();

  constructor(ask: AskChecks) {
    this.#ask = ask;
  }

  /** True unless a check of the service has failed, or was not yet well. */
  isWell({ allocation, service }: Registration): boolean {
    return this.#known.get(allocation)?.verdicts.get(service) ?? true;
  }

  /**
   * Ask for those that were never asked for; where `all` is true for all that have checks, too, and ever less often for the others: a
   * client registers services before it begins with their checks, a job may get some later, and one that does not answer
   * must not hold up each change.
   *
   * @returns true when the answers change anything
   */
  async look(registrations: Iterable<Registration>, all: boolean): Promise<boolean> {
    const present = new Set([...registrations].map(({ allocation }) => allocation).filter((id) => id !== ""));
    for (const id of this.#known.keys()) if (!present.has(id)) this.#known.delete(id);
    const asked = [...present].filter((id) => {
      const known = this.#known.get(id);
      if (known === undefined || !all) return known === undefined;
      known.looks += 1;
      return known.verdicts.size > 0 || !known.isAnswered || isPowerOfTwo(known.looks);
    });
    const changes = await severalAtOnce(asked, mostQuestions, (id) => this.#lookAt(id));
    return changes.includes(true);
  }

  async #lookAt(id: string): Promise<boolean> {
    const before = this.#known.get(id)?.verdicts ?? none;
    let checks: readonly Check[] | undefined;
    try {
      checks = readChecks(await this.#ask(id));
    } catch (error) {
      if (!(error instanceof NomadError)) throw error;
      // The client is gone, or has not begun: what was known counts.
    }
    const now = checks === undefined ? before : verdictsOf(checks, before);
    const { looks = 0, isAnswered = false } = this.#known.get(id) ?? {};
    this.#known.set(id, { verdicts: now, looks, isAnswered: isAnswered || checks !== undefined });
    return [...new Set([...before.keys(), ...now.keys()])].some(
      (service) => (before.get(service) ?? true) !== (now.get(service) ?? true),
    );
  }
}

const none: Verdicts = new Map();

function isPowerOfTwo(count: number): boolean {
  return Number.isInteger(Math.log2(count));
}

/** A check that is about to run again has the verdict that it had. */
function verdictsOf(checks: readonly Check[], before: Verdicts): Verdicts {
  const verdicts = new Map<string, boolean>();
  for (const { service, status } of checks) {
    const isWell = status === "pending" ? (before.get(service) ?? false) : status === "success";
    verdicts.set(service, isWell && verdicts.get(service) !== false);
  }
  return verdicts;
}
