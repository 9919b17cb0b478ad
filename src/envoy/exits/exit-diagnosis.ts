/**
 * Why an Envoy ended, decided from evidence. What is not known is said to be unknown, never guessed.
 */
import type { ChildExit } from "../../process/child.ts";
import type { HostPort } from "../../net/host-port.ts";
import { describePortOwner, type PortOwner } from "../../net/port-owner.ts";
import { redactText } from "../../telemetry/redact.ts";
import { fieldOfAddress } from "./bootstrap-field.ts";
import { addressInUse, configurationError } from "./configuration-error.ts";
import {
  type EnvoyLine,
  findBacktrace,
  lastTellingMessage,
  outputText,
  parseEnvoyLine,
} from "./envoy-output.ts";
import { envoyWords } from "./envoy-words.ts";
import { exitCodeOf, signalOf } from "./exit.ts";

/** Every reason there is; the label of `outrider_envoy_exits_total`. */
export const exitReasons = [
  "oom_kill",
  "signal",
  "abort",
  "configuration",
  "port_in_use",
  "asked",
  "hung",
  "exited",
  "not_started",
] as const;

export type ExitReason = (typeof exitReasons)[number];

/**
 * What the agent did to end an Envoy: stop it, hand its work over to a successor, replace it because it hung, or
 * abort it before it was live.
 */
export type ExitRequest = "stop" | "handover" | "hung" | "aborted";

/** The count of OOM kills in Envoy's memory cgroup, or why it is not known. */
export type OomKills =
  | {
      readonly kind: "counted";
      readonly cgroup: string;
      readonly before: number;
      readonly after: number;
      /** The cgroup's limit, undefined where it has none. */
      readonly limitBytes: number | undefined;
    }
  | { readonly kind: "unknown"; readonly reason: string };

/** All that is known about one end. */
export interface ExitEvidence {
  readonly exit: ChildExit;
  /** Set when the agent sent its first signal; undefined when it sent none. */
  readonly asked: ExitRequest | undefined;
  /** The end of Envoy's output, oldest line first. */
  readonly lines: readonly string[];
  readonly oomKills: OomKills;
  /** Whether it had been LIVE. */
  readonly wasLive: boolean;
  /** The bootstrap as JSON text, for the path of what Envoy names only by value. */
  readonly bootstrap: string | undefined;
  /** Who listens on the port that Envoy did not get (`wantedPort`). */
  readonly portOwners: readonly PortOwner[];
}

/** The verdict. Holds no secret: it goes to logs and to the termination log. */
export interface ExitDiagnosis {
  readonly reason: ExitReason;
  /** One line, complete in itself. */
  readonly message: string;
  /** Path in the bootstrap of what was wrong with it. */
  readonly field?: string;
  /** What to do about it. */
  readonly remedy?: string;
  /** Envoy's own code, 128 + signal, or 127 when it did not start. */
  readonly exitCode: number;
}

/** Longest text of Envoy's that a message quotes, in characters. */
const quotedLength = 600;

/** The port that Envoy did not get, if that is what it complained about: the caller looks up its owners. */
export function wantedPort(lines: readonly string[]): number | undefined {
  return addressInUse(lines.map(parseEnvoyLine))?.port;
}

/** The verdict on `evidence`. */
export function diagnoseExit(evidence: ExitEvidence): ExitDiagnosis {
  const lines = evidence.lines.map(parseEnvoyLine);
  const { message, remedy, field, reason } = findReason(evidence, lines);
  return {
    reason,
    message: redactText(message),
    ...(field === undefined ? {} : { field }),
    ...(remedy === undefined ? {} : { remedy }),
    exitCode: exitCodeOf(evidence.exit),
  };
}

interface Finding {
  readonly reason: ExitReason;
  readonly message: string;
  readonly field?: string | undefined;
  readonly remedy?: string | undefined;
}

function findReason(evidence: ExitEvidence, lines: readonly EnvoyLine[]): Finding {
  const { exit, asked } = evidence;
  if (exit.kind === "not-started") return notStarted(exit);
  const signal = signalOf(exit);
  if (signal === "SIGKILL" && evidence.oomKills.kind === "counted" && wasOomKilled(evidence.oomKills)) {
    return oomKill(evidence.oomKills);
  }
  if (asked !== undefined && !crashed(signal)) return askedFor(asked, exit);
  if (signal !== undefined) return bySignal(signal, evidence, lines);
  if (envoyWords.sigterm.test(outputText(lines))) {
    return { reason: "signal", message: `ended by a SIGTERM that the agent did not send${code(exit)}` };
  }
  return byItself(evidence, lines);
}

/** By the system's code. */
const startRemedies: Readonly<Record<string, string>> = {
  ENOENT:
    "name Envoy's binary in --binaryPath or ENVOY_PATH; a binary whose own loader is missing is reported like this too",
  EACCES: "make Envoy's binary executable for this user, on a volume that is not mounted noexec",
};

function notStarted({ message, code: errno }: Extract<ChildExit, { kind: "not-started" }>): Finding {
  const remedy = errno === undefined ? undefined : startRemedies[errno];
  return { reason: "not_started", message: `could not be started: ${message}`, remedy };
}

type CountedKills = Extract<OomKills, { kind: "counted" }>;

function wasOomKilled({ before, after }: CountedKills): boolean {
  return after > before;
}

function oomKill({ cgroup, before, after, limitBytes }: CountedKills): Finding {
  const limit = limitBytes === undefined ? "no limit of its own" : `limit ${mebibytes(limitBytes)}`;
  return {
    reason: "oom_kill",
    message: `killed by the kernel's OOM killer: oom_kill of memory cgroup ${cgroup} rose from ${before} to ${after} (${limit})`,
    remedy:
      limitBytes === undefined
        ? "the machine or an outer cgroup ran out of memory: free some there, or set a request that reserves it"
        : "raise the container's memory limit, or lower what Envoy holds: concurrency, buffer limits, the size of its configuration",
  };
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

const crashSignals: ReadonlySet<string> = new Set([
  "SIGABRT",
  "SIGSEGV",
  "SIGBUS",
  "SIGILL",
  "SIGFPE",
  "SIGTRAP",
  "SIGSYS",
]);

function crashed(signal: string | undefined): boolean {
  return signal !== undefined && crashSignals.has(signal);
}

function askedFor(asked: ExitRequest, exit: ChildExit): Finding {
  switch (asked) {
    case "stop":
      return { reason: "asked", message: `stopped as asked${code(exit)}` };
    case "handover":
      return { reason: "asked", message: `ended after its successor took over${code(exit)}` };
    case "aborted":
      return { reason: "asked", message: `given up by the agent before it was live${code(exit)}` };
    case "hung":
      return { reason: "hung", message: `ended by the agent because it hung${code(exit)}` };
  }
}

function bySignal(signal: string, evidence: ExitEvidence, lines: readonly EnvoyLine[]): Finding {
  if (signal === "SIGKILL") return bySigkill(evidence.oomKills);
  if (!crashed(signal)) return { reason: "signal", message: `ended by ${signal}` };
  const trace = findBacktrace(lines);
  const words = lastTellingMessage(lines) ?? trace?.cause;
  const message = [
    signal === "SIGABRT" ? "aborted (SIGABRT)" : `crashed with ${signal}`,
    when(evidence),
    words === undefined ? "; it printed no reason" : `: ${quote(words)}`,
    trace === undefined ? "" : `; a backtrace of ${trace.frames} frames is in its output`,
  ];
  return {
    reason: signal === "SIGABRT" ? "abort" : "signal",
    message: message.join(""),
    remedy:
      trace === undefined
        ? undefined
        : "a backtrace gets names with tools/stack_decode.py of the same Envoy release: report it to Envoy",
  };
}

function bySigkill(kills: OomKills): Finding {
  if (kills.kind === "unknown") {
    return {
      reason: "signal",
      message: `killed by SIGKILL: by hand, by the runtime or by the OOM killer; OOM kills are not known (${kills.reason})`,
    };
  }
  return {
    reason: "signal",
    message: `killed by SIGKILL: by hand or by the runtime; no OOM kill was counted in memory cgroup ${kills.cgroup}`,
  };
}

function byItself(evidence: ExitEvidence, lines: readonly EnvoyLine[]): Finding {
  const { exit, wasLive } = evidence;
  const bootstrap = parseBootstrap(evidence.bootstrap);
  if (exit.kind === "exited" && exit.code !== 0 && !wasLive) {
    const address = addressInUse(lines);
    if (address !== undefined) return portInUse(address, evidence.portOwners, bootstrap);
    const refused = configurationError(lines, bootstrap);
    if (refused !== undefined) {
      const what = refused.commandLine ? "its command line" : "its bootstrap";
      const at = refused.field === undefined ? "" : ` at ${refused.field}`;
      return {
        reason: "configuration",
        message: `refused ${what}${at}: ${quote(refused.problem)}`,
        field: refused.field,
        remedy: refused.commandLine
          ? "correct the flag; a binary of another release may not know it"
          : "correct it where it comes from: the bootstrap template, the bootstrap override, ProxyConfig, or a file that it names",
      };
    }
  }
  const words = lastTellingMessage(lines) ?? lastBareLine(lines);
  const said = words === undefined || (exit.kind === "exited" && exit.code === 0) ? "" : `: ${quote(words)}`;
  return { reason: "exited", message: `ended by itself${when(evidence)}${code(exit)}${said}` };
}

function portInUse(address: HostPort, owners: readonly PortOwner[], bootstrap: unknown): Finding {
  const { host, port } = address;
  const field = fieldOfAddress(bootstrap, host, port);
  const where = `${host}:${port}`;
  const who =
    owners.length === 0
      ? `port ${port} is taken, by nothing that listens now`
      : owners.map((owner) => describePortOwner(owner, "wanted by Envoy")).join("; ");
  return {
    reason: "port_in_use",
    message: `could not bind ${where}: ${who}`,
    field,
    remedy: "stop the process that has the port, or choose another port",
  };
}

function lastBareLine(lines: readonly EnvoyLine[]): string | undefined {
  return lines.findLast(({ level, message }) => level === undefined && message.trim() !== "")?.message.trim();
}

function when({ wasLive }: ExitEvidence): string {
  return wasLive ? " after it was live" : " before it was live";
}

function code(exit: ChildExit): string {
  switch (exit.kind) {
    case "exited":
      return ` (exit code ${exit.code})`;
    case "signaled":
      return ` (${exit.signal})`;
    case "not-started":
      return "";
  }
}

function quote(text: string): string {
  return text.length <= quotedLength ? text : `${text.slice(0, quotedLength)}…`;
}

function parseBootstrap(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
