/**
 * The workload's health checks, from ProxyConfig's `readinessProbe` (Istio's ReadinessProbe).
 */
import { isIPv6 } from "../../net/ip-version.ts";
import { isLoopback } from "../../net/loopback.ts";
import type { WorkloadHealthOptions } from "../../workload-health/options.ts";
import { type ConfigProblem, shown } from "../../schema/config-problem.ts";
import type { Value } from "../proxy-config/field.ts";
import type { readinessProbe } from "../proxy-config/messages.ts";
import type { MergedProxyConfig } from "../proxy-config/merge.ts";
import type { ProbeMethod, ProbeTarget } from "../../probe/method.ts";
import { requestPath } from "./request-path.ts";

/** `readinessProbe` as the schema lets it through. */
type ReadinessProbe = Value<typeof readinessProbe>;

/** Where the workload is. */
export interface WorkloadPlace {
  /** Addresses of this instance. The first that an interface has is asked unless the probe says otherwise. */
  readonly addresses: readonly string[];
  /** Those that an interface has; others are a NAT's, or are still to come. */
  readonly local: readonly string[];
  /** Traffic to its own address is redirected to Envoy. */
  readonly isCaptured: boolean;
}

const methods = ["httpGet", "tcpSocket", "exec", "grpc"] as const;

/** Undefined when there is no probe. Everything wrong with it is added to `problems`. */
export function workloadHealthOptions(
  { fields, origins }: Pick<MergedProxyConfig, "fields" | "origins">,
  place: WorkloadPlace,
  problems: ConfigProblem[],
): WorkloadHealthOptions | undefined {
  const probe = fields.readinessProbe;
  if (probe === undefined) return undefined;
  const refuse = (field: string, message: string): void => {
    const path = field === "" ? "readinessProbe" : `readinessProbe.${field}`;
    // A value that could not be read is missing here, and has its problem already.
    if (problems.some((problem) => problem.path === path)) return;
    problems.push({ source: origins.get("readinessProbe") ?? "ProxyConfig", path, message });
  };
  const given = methods.filter((name) => probe[name] !== undefined);
  if (given.length !== 1) {
    const which = given.length === 0 ? "none is given" : `${given.join(" and ")} are given`;
    refuse("", `needs exactly one of ${methods.join(", ")}; ${which}`);
  }
  const found = given.map((name) => readMethod(name, probe, place, refuse));
  const [method] = found;
  if (method === undefined) return undefined;
  return {
    method,
    initialDelayMs: (probe.initialDelaySeconds ?? 0) * 1_000,
    timeoutMs: (probe.timeoutSeconds || 1) * 1_000,
    periodMs: (probe.periodSeconds || 10) * 1_000,
    thresholds: { success: probe.successThreshold || 1, failure: probe.failureThreshold || 1 },
  };
}

type Refuse = (path: string, message: string) => void;

function readMethod(
  name: (typeof methods)[number],
  probe: ReadinessProbe,
  place: WorkloadPlace,
  refuse: Refuse,
): ProbeMethod | undefined {
  switch (name) {
    case "httpGet": {
      const { httpGet = {} } = probe;
      const scheme = (httpGet.scheme || "http").toLowerCase();
      const headers = readHeaders(httpGet.httpHeaders ?? [], refuse);
      const target = targetOf(name, httpGet, place, refuse);
      if (scheme === "http" || scheme === "https")
        return target && { kind: "http", scheme, path: requestPath(httpGet.path ?? ""), headers, ...target };
      refuse("httpGet.scheme", `${shown(httpGet.scheme)} is not HTTP or HTTPS`);
      return undefined;
    }
    case "tcpSocket": {
      const target = targetOf(name, probe.tcpSocket ?? {}, place, refuse);
      return target && { kind: "tcp", ...target };
    }
    case "grpc": {
      const target = targetOf(name, probe.grpc ?? {}, place, refuse);
      return target && { kind: "grpc", service: probe.grpc?.service ?? "", ...target };
    }
    case "exec": {
      const [file = "", ...args] = probe.exec?.command ?? [];
      if (file !== "" && ![file, ...args].some((word) => word.includes("\0")))
        return { kind: "exec", file, args };
      refuse("exec.command", "must begin with a program to run, such as [/bin/sh, -c, …]");
      return undefined;
    }
  }
}

function targetOf(
  name: string,
  { host: given = "", port }: { readonly host?: string; readonly port?: number },
  { addresses, local, isCaptured }: WorkloadPlace,
  refuse: Refuse,
): ProbeTarget | undefined {
  const own = addresses.find((address) => isLoopback(address) || local.includes(address)) ?? addresses[0];
  const host = (given || own) ?? "127.0.0.1";
  const isHost = /^[\w.:%-]+$/.test(host);
  if (!isHost) refuse(`${name}.host`, `${shown(given)} is no host name or address`);
  if (port === undefined) refuse(`${name}.port`, "is required: the port to check");
  if (port === undefined || !isHost) return undefined;
  return { host, port, sourceAddress: isCaptured && addresses.includes(host) ? sourceFor(host) : undefined };
}

/** What comes from here is not captured (Istio's iptables rules), so that the application itself is asked. */
export function sourceFor(host: string): string {
  return isIPv6(host) ? "::6" : "127.0.0.6";
}

function readHeaders(
  headers: readonly { readonly name?: string; readonly value?: string }[],
  refuse: Refuse,
): readonly { readonly name: string; readonly value: string }[] {
  return headers.map(({ name = "", value = "" }, index) => {
    const path = `httpGet.httpHeaders[${index}]`;
    // RFC 9110, 5.1 and 5.5.
    if (!/^[!#$%&'*+\-.^_`|~\w]+$/.test(name)) refuse(`${path}.name`, `${shown(name)} is no header name`);
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      refuse(`${path}.value`, "holds characters that no header may have");
    return { name, value };
  });
}
