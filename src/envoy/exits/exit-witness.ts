/**
 * Gathers what `diagnoseExit` decides from: the cgroup's OOM kills and the owner of a port that Envoy did not get.
 */
import { portOwners } from "../../net/port-owner.ts";
import { CgroupMemory } from "./cgroup-memory.ts";
import { diagnoseExit, type ExitDiagnosis, type ExitEvidence, wantedPort } from "./exit-diagnosis.ts";
import { signalOf } from "./exit.ts";
import { OomKillLedger } from "./oom-kill-ledger.ts";

/** What the supervisor knows about an end by itself. */
export interface ExitFacts extends Omit<ExitEvidence, "oomKills" | "portOwners"> {
  /** `performance.now()` of the start. */
  readonly startedAt: number;
}

/** One per supervisor, for all its Envoys. */
export class ExitWitness {
  readonly #ledger: OomKillLedger;

  private constructor(ledger: OomKillLedger) {
    this.#ledger = ledger;
  }

  /** @param memory the cgroup that Envoys run in: the agent's own */
  static create(memory: CgroupMemory = CgroupMemory.find()): ExitWitness {
    return new ExitWitness(new OomKillLedger(() => memory.oomKills()));
  }

  /**
   * Look at the count of OOM kills: before each start, and at each check of the watchdog, so that an old kill of
   * another process is never taken for Envoy's. Takes some microseconds.
   */
  note(): void {
    this.#ledger.note(performance.now());
  }

  /** The verdict on one end, given as soon as the end is known. Never throws. */
  diagnose(facts: ExitFacts): ExitDiagnosis {
    const killed = signalOf(facts.exit) === "SIGKILL";
    const port = wantedPort(facts.lines);
    return diagnoseExit({
      ...facts,
      oomKills: this.#ledger.settle(facts.startedAt, performance.now(), killed),
      portOwners: port === undefined ? [] : ownersOf(port),
    });
  }
}

function ownersOf(port: number): ExitEvidence["portOwners"] {
  try {
    return portOwners([port]);
  } catch {
    // Without /proc the owner stays unknown; the port is told all the same.
    return [];
  }
}
