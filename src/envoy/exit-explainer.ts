/**
 * Gathers the evidence for why an Envoy ended and has it judged.
 */
import type { ChildExit } from "../lifecycle/child.ts";
import { portOwners } from "../net/port-owner.ts";
import type { CgroupMemory } from "./cgroup-memory.ts";
import { diagnoseExit, type ExitDiagnosis, type ExitRequest, wantedPort } from "./exit-diagnosis.ts";
import type { Generation } from "./generation.ts";
import { OomKillLedger } from "./oom-kill-ledger.ts";

/** Follows the OOM kills of the cgroup that every Envoy of this agent shares with it. */
export class ExitExplainer {
  readonly #ledger: OomKillLedger;

  constructor(memory: CgroupMemory) {
    this.#ledger = new OomKillLedger(() => memory.oomKills());
    this.#ledger.note(performance.now());
  }

  /** An Envoy was started: what was counted before is none of its own. */
  started(): void {
    this.#ledger.note(performance.now());
  }

  /** The verdict. Never rejects. */
  explain(
    generation: Generation,
    exit: ChildExit,
    facts: { readonly asked: ExitRequest | undefined; readonly wasLive: boolean },
  ): ExitDiagnosis {
    const lines = generation.lastLines;
    const port = wantedPort(lines);
    const isKilled = exit.kind === "signaled" && exit.signal === "SIGKILL" && facts.asked === undefined;
    return diagnoseExit({
      ...facts,
      exit,
      lines,
      bootstrap: generation.bootstrap,
      oomKills: this.#ledger.settle(generation.startedAt, performance.now(), isKilled),
      portOwners: port === undefined ? [] : portOwners([port]),
    });
  }
}
