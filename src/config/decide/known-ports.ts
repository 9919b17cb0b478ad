/**
 * The ports of the agent and its Envoy.
 */

import type { KnownPort } from "../../envoy/inspect/ports.ts";
import type { ConfigProblem } from "../../schema/config-problem.ts";
import type { Environment } from "../sources/environment.ts";
import type { ProxyConfig } from "../proxy-config/decode.ts";

/** The bootstrap's own listeners. */
export function ownListeners(env: Environment): readonly KnownPort[] {
  const names = [
    "ENVOY_STATUS_PORT",
    "ENVOY_PROMETHEUS_PORT",
    "ENVOY_SECURE_METRICS_PORT",
    "ENVOY_SECURE_MERGED_METRICS_PORT",
  ] as const;
  return names.map((name) => ({ port: env[name], purpose: name })).filter(({ port }) => port !== 0);
}

/** The ports of the agent and its Envoy; two uses of one port are a problem. */
export function knownPorts(
  env: Environment,
  proxy: ProxyConfig,
  capturesNothing: boolean,
  problems: ConfigProblem[],
): readonly KnownPort[] {
  const ports: KnownPort[] = [
    { port: proxy.proxyAdminPort, purpose: "ProxyConfig proxyAdminPort" },
    { port: proxy.statusPort, purpose: "ProxyConfig statusPort" },
    ...ownListeners(env),
    ...(capturesNothing
      ? []
      : [
          { port: 15001, purpose: "outbound capture" },
          { port: 15006, purpose: "inbound capture" },
        ]),
  ];
  const uses = Map.groupBy(
    ports.filter(({ port }) => port !== 0),
    ({ port }) => port,
  );
  for (const [port, users] of uses) {
    if (users.length < 2) continue;
    const purposes = users.map(({ purpose }) => purpose).join(" and ");
    problems.push({
      source: "ports",
      path: String(port),
      message: `${purposes} are the same port: change one`,
    });
  }
  return ports;
}
