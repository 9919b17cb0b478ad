/**
 * Envoy's command line (Envoy's command line documentation; the order is Istio's).
 */
import type { EnvoyOptions } from "./options.ts";

/** The arguments for a bootstrap at `bootstrapPath`. */
export function envoyArguments(options: EnvoyOptions, bootstrapPath: string): readonly string[] {
  return [
    ...["-c", bootstrapPath],
    ...["--drain-time-s", String(Math.max(1, Math.round(options.drainDurationMs / 1_000)))],
    ...["--drain-strategy", "immediate"],
    ...["--local-address-ip-version", options.localAddressIpVersion],
    ...["--file-flush-interval-msec", "1000"],
    "--disable-hot-restart",
    "--allow-unknown-static-fields",
    ...(options.logLevel === undefined ? [] : ["-l", options.logLevel]),
    ...(options.componentLogLevel === undefined ? [] : ["--component-log-level", options.componentLogLevel]),
    ...(options.skipDeprecatedLogs ? ["--skip-deprecated-logs"] : []),
    ...(options.enableCoreDump ? ["--enable-core-dump"] : []),
    ...(options.concurrency === undefined ? [] : ["--concurrency", String(options.concurrency)]),
  ];
}

/** `--proxyLogLevel=info,misc:error` as Envoy's two flags; items of another shape are dropped. */
export function splitLogLevel(text: string): { level: string | undefined; components: string | undefined } {
  const items = text.split(",").map((item) => item.trim());
  const components = items.filter((item) => /^[^:]+:[^:]+$/.test(item));
  return {
    level: items.findLast((item) => item !== "" && !item.includes(":")),
    components: components.length === 0 ? undefined : components.join(","),
  };
}
