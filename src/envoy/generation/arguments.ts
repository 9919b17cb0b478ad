/**
 * Envoy's command line (Envoy's command line documentation; the order is Istio's).
 */
import type { EnvoyOptions } from "./options.ts";

/** How an Envoy stands to others (Envoy's hot restart documentation). */
export type RestartRole =
  /** It neither hands over nor takes over. */
  | { readonly kind: "alone" }
  /** The first of a lineage: Envoy chooses a free base ID and writes it to a file. */
  | { readonly kind: "first"; readonly baseIdPath: string }
  /** It takes over from the Envoy of the epoch before. */
  | { readonly kind: "successor"; readonly baseId: number; readonly epoch: number };

/** The arguments for a bootstrap at `bootstrapPath`. */
export function envoyArguments(
  options: EnvoyOptions,
  bootstrapPath: string,
  role: RestartRole,
): readonly string[] {
  return [
    ...["-c", bootstrapPath],
    ...["--drain-time-s", seconds(options.drainDurationMs)],
    ...["--drain-strategy", "immediate"],
    ...["--local-address-ip-version", options.localAddressIpVersion],
    ...["--file-flush-interval-msec", String(Math.max(1, Math.round(options.fileFlushIntervalMs)))],
    ...restartArguments(options, role),
    "--allow-unknown-static-fields",
    ...(options.fileFlushMinSizeKb === undefined
      ? []
      : ["--file-flush-min-size-kb", String(options.fileFlushMinSizeKb)]),
    ...(options.logLevel === undefined ? [] : ["-l", options.logLevel]),
    ...(options.componentLogLevel === undefined ? [] : ["--component-log-level", options.componentLogLevel]),
    ...(options.skipDeprecatedLogs ? ["--skip-deprecated-logs"] : []),
    ...(options.enableCoreDump ? ["--enable-core-dump"] : []),
    ...(options.concurrency === undefined ? [] : ["--concurrency", String(options.concurrency)]),
  ];
}

function restartArguments(options: EnvoyOptions, role: RestartRole): readonly string[] {
  if (role.kind === "alone") return ["--disable-hot-restart"];
  return [
    ...["--parent-shutdown-time-s", seconds(options.parentShutdownDurationMs)],
    // Without this a successor whose parent died aborts at its next flush of statistics, within seconds; with it
    // there is all of the parent's time to replace it.
    "--skip-hot-restart-parent-stats",
    ...(role.kind === "first"
      ? ["--restart-epoch", "0", "--use-dynamic-base-id", "--base-id-path", role.baseIdPath]
      : ["--restart-epoch", String(role.epoch), "--base-id", String(role.baseId)]),
  ];
}

function seconds(ms: number): string {
  return String(Math.max(1, Math.round(ms / 1_000)));
}

/** `--proxyLogLevel=info,misc:error` as Envoy's two flags; items of another shape are `dropped`. */
export function splitLogLevel(text: string): {
  readonly level: string | undefined;
  readonly components: string | undefined;
  readonly dropped: readonly string[];
} {
  const items = text.split(",").map((item) => item.trim());
  const components = items.filter((item) => /^[^:]+:[^:]+$/.test(item));
  return {
    level: items.findLast((item) => item !== "" && !item.includes(":")),
    components: components.length === 0 ? undefined : components.join(","),
    dropped: items.filter((item) => item.includes(":") && !components.includes(item)),
  };
}
