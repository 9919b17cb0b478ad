/**
 * Resource limits (getrlimit(2)) against what an Envoy takes.
 *
 * Node.js raises its soft limit of open files to the hard one and Envoy inherits that, so the hard limit counts.
 */
import { failure, type Finding, ok, warning } from "./finding.ts";

/** The limits that matter; Infinity for `unlimited`. */
export interface Limits {
  readonly hardOpenFiles: number;
  readonly softCoreBytes: number;
  /** ISTIO_ENVOY_ENABLE_CORE_DUMP. */
  readonly wantsCoreDump: boolean;
}

/** What an Envoy has open at rest, with a few listeners and workers. */
const filesAtRest = 64;

/** Below this there is next to nothing left for connections. */
const neededFiles = 256;

/** Below this a busy workload runs out: 8,000 connections, each with two ends. */
const comfortableFiles = 16_384;

/** One finding per limit. */
export function judgeLimits(limits: Limits): readonly Finding[] {
  const { softCoreBytes, wantsCoreDump } = limits;
  const findings = [judgeFiles(limits.hardOpenFiles)];
  if (wantsCoreDump && softCoreBytes === 0) {
    findings.push(
      warning(
        "core-dumps",
        "ISTIO_ENVOY_ENABLE_CORE_DUMP is on, but the limit of core files is 0",
        "raise it (ulimit -c unlimited in the image's entry point), or turn ISTIO_ENVOY_ENABLE_CORE_DUMP off",
      ),
    );
  }
  return findings;
}

function judgeFiles(hard: number): Finding {
  const name = "open-files";
  if (!Number.isFinite(hard)) return ok(name, "unlimited");
  const connections = Math.max(0, Math.floor((hard - filesAtRest) / 2));
  const seen = `the hard limit is ${hard}: room for about ${connections} proxied connections, two files each`;
  if (hard >= comfortableFiles) return ok(name, seen);
  const verdict = hard < neededFiles ? failure : warning;
  return verdict(
    name,
    seen,
    "raise the hard limit of open files (LimitNOFILE= of the container runtime's unit, --ulimit nofile= with Docker)",
  );
}

/** The rows of `/proc/self/limits` that matter; a row that is missing counts as unlimited. */
export function parseLimits(text: string): Omit<Limits, "wantsCoreDump"> {
  const row = (title: string): readonly [soft: number, hard: number] => {
    const match = new RegExp(`^${title}\\s+(\\S+)\\s+(\\S+)`, "m").exec(text);
    return [limitOf(match?.[1]), limitOf(match?.[2])];
  };
  return {
    hardOpenFiles: row("Max open files")[1],
    softCoreBytes: row("Max core file size")[0],
  };
}

function limitOf(text: string | undefined): number {
  return text === undefined || text === "unlimited" ? Infinity : Number(text);
}
