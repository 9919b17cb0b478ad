/** Events in few words, and effects in words that a table can hold. */
import type { Effect } from "../../../src/envoy/supervision/effect.ts";
import type { ProofResult, SupervisionEvent, Verdict } from "../../../src/envoy/supervision/event.ts";
import type { SwapMode } from "../../../src/envoy/inspect/swap-mode.ts";
import type { SwapStage } from "../../../src/envoy/supervision/swap-request.ts";
import { launchNamed } from "./launches.ts";

export function live(number: number): SupervisionEvent {
  return { kind: "live", number };
}

export function proof(number: number, result: ProofResult): SupervisionEvent {
  return { kind: "proof", number, result };
}

export function proven(number: number): SupervisionEvent {
  return proof(number, { kind: "proven" });
}

export function checked(verdict: Verdict): SupervisionEvent {
  return { kind: "checked", verdict };
}

export function go(mode: SwapMode): SupervisionEvent {
  return checked({ kind: "go", mode });
}

export function refused(stage: SwapStage): SupervisionEvent {
  return checked({ kind: "refuse", stage, reason: `not by its ${stage}` });
}

/** It dies by a signal that the agent did not send. */
export function dies(number: number): SupervisionEvent {
  return { kind: "exited", number, exit: { kind: "signaled", signal: "SIGSEGV" }, isSignaled: false };
}

/** It ends by itself, with a code. */
export function exits(number: number, code: number): SupervisionEvent {
  return { kind: "exited", number, exit: { kind: "exited", code }, isSignaled: false };
}

/** It ends because the agent has sent it a signal. */
export function isEnded(number: number): SupervisionEvent {
  return { kind: "exited", number, exit: { kind: "signaled", signal: "SIGKILL" }, isSignaled: true };
}

export function explained(number: number): SupervisionEvent {
  const diagnosis = { reason: "signal", message: "killed by SIGSEGV", exitCode: 139 } as const;
  const exit = { kind: "signaled", signal: "SIGSEGV" } as const;
  return { kind: "explained", number, exit, diagnosis, kept: undefined };
}

export function hangs(number: number, isStopped: boolean): SupervisionEvent {
  return { kind: "hung", number, isStopped, reason: "its admin interface was silent" };
}

/** The asker's number is the order of asking. */
export function asks(asker: number, launch: string, isForced = false): SupervisionEvent {
  return { kind: "swap-requested", asker, launch: launchNamed(launch), trigger: "SIGHUP", isForced };
}

export const stop: SupervisionEvent = { kind: "stop", reason: new Error("SIGTERM") };
export const hurry: SupervisionEvent = { kind: "hurry" };

/** Effects but for what is merely logged, counted or observed. */
export function said(effects: readonly Effect[]): readonly string[] {
  return effects.flatMap((effect) => sayEffect(effect) ?? []);
}

function sayEffect(effect: Effect): string | undefined {
  switch (effect.kind) {
    case "start": {
      const { number, launch, descent } = effect;
      const how = descent.kind === "first" ? "" : ` by ${descent.mode} from ${descent.from}`;
      return `start ${number} with ${launch.fingerprint}${how}`;
    }
    case "check": {
      const from = effect.from === undefined ? "nobody" : String(effect.from);
      const { mode, launch, repairs } = effect.request;
      const why = repairs === undefined ? "" : ` to repair, ${mode}`;
      return `check ${launch.fingerprint} from ${from}${why}`;
    }
    case "retire":
      return `retire ${effect.number}, ${effect.how}`;
    case "drain":
      return `drain ${effect.number} before ${effect.before}`;
    case "answer":
      return `answer ${effect.askers.join("+")}: ${effect.report.result}`;
    case "set-timer":
      return effect.timer.kind === "probation" ? undefined : `${effect.timer.kind} in ${effect.ms} ms`;
    case "end":
      return `end, ${effect.end.kind}`;
    case "kill":
    case "terminate":
    case "cancel-proof":
    case "cancel-drain":
    case "advance-epoch":
    case "heal-lineage":
    case "close-lineage":
      return `${effect.kind} ${effect.number}`;
    case "cancel-check":
      return effect.kind;
    case "keep-launch":
      return `keep ${effect.launch.fingerprint}`;
    case "fail":
      return "fail";
    default:
      return undefined;
  }
}
