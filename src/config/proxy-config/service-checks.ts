/**
 * What Istio requires of the services that Envoy itself calls, beyond the type of each field.
 */
import type { TlsSettings } from "../../bootstrap/upstream-tls.ts";
import type { ConfigProblem } from "../../schema/config-problem.ts";
import type { MergedProxyConfig } from "./merge.ts";

/** Fields whose `tlsSettings` count. */
const services = ["tracing", "envoyMetricsService", "envoyAccessLogService"] as const;

/** A tracer is nothing without its address. */
const tracers = ["zipkin", "lightstep", "datadog", "openTelemetry"] as const;

/** Problems for settings that contradict each other or are incomplete, warnings for those that weaken or do nothing. */
export function checkServices(
  { fields, origins }: MergedProxyConfig,
  problems: ConfigProblem[],
  warnings: string[],
): void {
  const { tracing } = fields;
  for (const name of tracers) {
    const tracer = tracing?.[name];
    const path = `tracing.${name}.address`;
    // An address that cannot be read is a problem already.
    if (tracer === undefined || tracer.address || problems.some((problem) => problem.path === path)) continue;
    problems.push({
      source: origins.get("tracing") ?? "ProxyConfig",
      path,
      message: "is required: name host:port, or leave the tracer out",
    });
  }
  for (const name of services) {
    const tls = fields[name]?.tlsSettings;
    if (tls === undefined) continue;
    const source = origins.get(name) ?? "ProxyConfig";
    for (const [field, message] of tlsProblems(tls)) {
      problems.push({ source, path: `${name}.tlsSettings.${field}`, message });
    }
    for (const [field, message] of tlsWarnings(tls)) {
      warnings.push(`${source}: ${name}.tlsSettings.${field}: ${message}`);
    }
  }
}

type Remarks = readonly (readonly [field: keyof TlsSettings, message: string])[];

/** Istio's validation of ClientTLSSettings. */
function tlsProblems(tls: TlsSettings): Remarks {
  const isUnverified = (tls.mode === "SIMPLE" || tls.mode === "MUTUAL") && tls.insecureSkipVerify === true;
  const excluded = (["caCertificates", "caCrl", "subjectAltNames"] as const).filter(
    (field) => tls[field]?.length,
  );
  return [
    ...(tls.mode === "MUTUAL" ? (["clientCertificate", "privateKey"] as const) : []).flatMap((file) =>
      tls[file] ? [] : [[file, "is required by mode MUTUAL: name a PEM file"] as const],
    ),
    ...(isUnverified
      ? excluded.map(
          (field) => [field, "verifies nothing with insecureSkipVerify: leave one of the two out"] as const,
        )
      : []),
  ];
}

function tlsWarnings(tls: TlsSettings): Remarks {
  if (tls.mode === undefined || tls.mode === "DISABLE") return [];
  const isIstio = tls.mode === "ISTIO_MUTUAL";
  return [
    ...(tls.credentialName ? [["credentialName", "has no effect here: name files"] as const] : []),
    ...(isIstio && tls.caCrl ? [["caCrl", "has no effect with mode ISTIO_MUTUAL"] as const] : []),
    ...(tls.insecureSkipVerify !== true
      ? []
      : [
          isIstio
            ? (["insecureSkipVerify", "has no effect with mode ISTIO_MUTUAL"] as const)
            : ([
                "insecureSkipVerify",
                "whoever answers is taken for the service; name caCertificates instead",
              ] as const),
        ]),
  ];
}
