/**
 * Flags of pilot-agent's `proxy` that are in use, those of Istio 1.5 without another way to say it included.
 */
import { portsOrNone, someDuration, workers } from "../../schema/range.ts";
import {
  flag,
  integer,
  optionalDuration,
  optionalInteger,
  optionalText,
  text,
} from "../../schema/setting.ts";
import { paths } from "./paths.ts";

/** What a replaced Envoy lives on beyond the drain, for connections that heed it late, in milliseconds. */
export const parentSlackMs = 15_000;

/** Where Istio's injector has the mesh config file, for every command that reads it. */
export const meshConfigFlag = text(paths.meshConfig, "Istio mesh config file, if any.");

/** In the order in which help lists them. */
export const istioFlags = {
  domain: optionalText("DNS domain suffix (default ${POD_NAMESPACE}.svc.cluster.local)."),
  meshConfig: meshConfigFlag,
  binaryPath: optionalText("Envoy's binary."),
  serviceCluster: text("istio-proxy", "Service that this sidecar belongs to."),
  proxyLogLevel: text("warning", "Envoy's log level, components included: info,misc:error."),
  proxyComponentLogLevel: text("", "Envoy's component log levels, where --proxyLogLevel has none."),
  outlierLogPath: optionalText("File that Envoy writes outlier events to."),
  stsPort: integer(0, portsOrNone, "Told to the control plane as STS_PORT; nothing listens."),
  concurrency: optionalInteger(workers, "Envoy's worker threads; overrides ProxyConfig unless 0."),
  templateFile: optionalText("Bootstrap template (JSON-e) instead of the release's own."),
  parentShutdownDuration: optionalDuration(
    someDuration,
    `Longest life of a replaced Envoy (default drainDuration + ${parentSlackMs / 1_000}s).`,
  ),
  profiling: flag(true, "Serve profiles of the agent on the status port, /debug/pprof/."),
} as const;
