/**
 * What the page shows, at one moment.
 */
import type { AgentReport } from "../status/contract/agent-report.ts";
import type { LogRecord } from "../telemetry/journal.ts";

/** One response of the control plane and what became of it; times are ISO 8601. */
export interface ShownExchange {
  readonly number: number;
  readonly at: string;
  readonly typeUrl: string;
  readonly source: string;
  readonly version: string;
  readonly resources: number;
  readonly bytes: number;
  readonly outcome: "pending" | "acked" | "nacked";
  readonly error?: string;
  /** From the response to Envoy's answer, in milliseconds. */
  readonly latencyMs?: number;
}

/** What a process uses. */
export interface ProcessUse {
  readonly name: string;
  readonly pid: number;
  /** Resident memory, in bytes. */
  readonly residentBytes: number;
  /** Processor time since its start, in milliseconds. */
  readonly processorMs: number;
  readonly openFiles: number | undefined;
}

/** Everything. */
export interface PageView {
  /** The node ID, such as `sidecar~10.0.0.1~web-1.demo~demo.svc.cluster.local`. */
  readonly node: string;
  readonly now: Date;
  readonly report: AgentReport;
  /** Oldest first. */
  readonly exchanges: readonly ShownExchange[];
  /** Oldest first. */
  readonly log: readonly LogRecord[];
  readonly processes: readonly ProcessUse[];
}
