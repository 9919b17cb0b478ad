/**
 * Flags of pilot-agent, most of Istio 1.5, that set a field of ProxyConfig or mean nothing any more. All of them are
 * accepted, because injection templates outlive releases; each that is given is one line in the log.
 */
import { type FlagTexts, textsOfFlag } from "../../schema/flag-texts.ts";
import { longestDurationMs } from "../../schema/range.ts";
import { duration } from "../../schema/setting.ts";

/** One flag. */
export interface PilotFlag {
  readonly describe: string;
  /** Path of the ProxyConfig field that it sets, over every other source; undefined when it has no effect. */
  readonly field?: string;
  /** It counts, in another way than as a field. */
  readonly counts?: boolean;
}

const deprecated = (field: string, what: string): PilotFlag => ({
  describe: `Deprecated: ${what}; set ProxyConfig ${field}.`,
  field,
});

const ignored = (why: string): PilotFlag => ({ describe: `Accepted without effect: ${why}.` });

/** How often Envoy looks up the tracer's name; Envoy takes none of a millisecond or less. */
export const dnsRefreshRate = duration(
  30_000,
  { leastMs: 2, mostMs: longestDurationMs },
  "Deprecated: how often Envoy looks up the tracer's name (default 30s).",
);

/** The table, by name. */
export const pilotFlags = {
  configPath: deprecated("configPath", "folder of the bootstrap and the sockets"),
  discoveryAddress: deprecated("discoveryAddress", "host:port of the control plane"),
  drainDuration: deprecated("drainDuration", "length of Envoy's drain"),
  statusPort: deprecated("statusPort", "port of the status server"),
  proxyAdminPort: deprecated("proxyAdminPort", "port that leads to Envoy's admin interface"),
  controlPlaneAuthPolicy: deprecated("controlPlaneAuthPolicy", "NONE or MUTUAL_TLS"),
  customConfigFile: deprecated("customConfigFile", "a finished bootstrap"),
  statsdUdpAddress: deprecated("statsdUdpAddress", "host:port of statsd"),
  envoyMetricsService: deprecated("envoyMetricsService", "Envoy's metrics service, as JSON"),
  envoyAccessLogService: deprecated("envoyAccessLogService", "Envoy's access log service, as JSON"),
  zipkinAddress: deprecated("tracing.zipkin.address", "host:port of Zipkin"),
  lightstepAddress: deprecated("tracing.lightstep.address", "host:port of Lightstep"),
  lightstepAccessToken: deprecated("tracing.lightstep.accessToken", "token for Lightstep"),
  datadogAgentAddress: deprecated("tracing.datadog.address", "host:port of the Datadog agent"),
  "trust-domain": {
    describe: "Deprecated: SPIFFE trust domain, where TRUST_DOMAIN is not set.",
    counts: true,
  },
  ip: { describe: "Deprecated: address of the pod, where INSTANCE_IP is not set.", counts: true },
  id: { describe: "Deprecated: third part of the node ID instead of POD_NAME.POD_NAMESPACE.", counts: true },
  dnsRefreshRate: {
    describe: dnsRefreshRate.describe,
    counts: true,
  },
  lightstepSecure: ignored("set ProxyConfig tracing.tlsSettings"),
  lightstepCacertPath: ignored("set ProxyConfig tracing.tlsSettings.caCertificates"),
  serviceregistry: ignored("the control plane knows its registries"),
  mixerIdentity: ignored("there is no Mixer any more"),
  disableInternalTelemetry: ignored("the control plane decides on telemetry"),
  controlPlaneBootstrap: ignored("the control plane's own bootstrap was another program's"),
  connectTimeout: ignored("Envoy reaches the control plane through the agent"),
  tokenManagerPlugin: ignored("token exchange is gone"),
} as const satisfies Readonly<Record<string, PilotFlag>>;

/** Values of the flags that were given. */
export type PilotFlagValues = { readonly [Name in keyof typeof pilotFlags]?: string };

/** What was given of them; without a value, as templates of Istio 1.5 give flags for what nobody has set, is not. */
export function pilotFlagValues(flags: FlagTexts): PilotFlagValues {
  const given = Object.keys(pilotFlags).flatMap((name) => {
    const value = textsOfFlag(flags, name, {})?.texts.at(-1);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(given);
}

/** What to say about the flags that were given. */
export function flagNotices(given: PilotFlagValues): readonly string[] {
  return givenFlags(given).map(([name, { describe, field, counts }]) =>
    field === undefined && counts !== true
      ? `--${name} has no effect: ${describe.replace(/^[^:]*: /, "")}`
      : `--${name} is deprecated: ${describe.replace(/^Deprecated: /, "")}`,
  );
}

/** Those that were given, each with its row and its value. */
export function givenFlags(given: PilotFlagValues): readonly (readonly [string, PilotFlag, string])[] {
  return Object.entries<PilotFlag>(pilotFlags).flatMap(([name, flag]) => {
    const value = given[name as keyof PilotFlagValues];
    return value === undefined || value === "" ? [] : [[name, flag, value] as const];
  });
}
