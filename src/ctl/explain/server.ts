/**
 * What a server's Envoy does with a request that reaches it. Pure.
 */
import { at, listAt, textAt } from "../../lifecycle/json-path.ts";
import type { ConfigDump } from "../proxy/config-dump.ts";
import { addressesOf, portOf } from "../proxy/views/listener.ts";
import { filterChainFor } from "./filter-chain.ts";
import { policyObject } from "./objects.ts";
import { decideRbac, type Peer } from "./rbac.ts";
import { normalized, type Outcome, type Request, type Step } from "./request.ts";
import { routeFor, virtualHostFor } from "./route-choice.ts";

/** The connection that the client's Envoy makes. */
export interface Call {
  readonly address: string;
  readonly port: number;
  readonly tls:
    { readonly serverName: string | undefined; readonly applications: readonly string[] } | undefined;
  readonly principal: string | undefined;
  /** Where it comes from. */
  readonly from: string;
}

/** What comes of it: the answer without its share, and the steps to it. */
export type ServerOutcome = Omit<Outcome, "share" | "steps" | "cluster" | "endpoint"> & {
  readonly steps: readonly Step[];
};

const managers = "envoy.filters.network.http_connection_manager";
const httpInspector = "envoy.filters.listener.http_inspector";

/** Undefined where this Envoy has no listener for such a call. */
export function followServer(server: ConfigDump, call: Call, asked: Request): ServerOutcome | undefined {
  const listener = listenerFor(server, call);
  if (listener === undefined) return undefined;
  const steps: Step[] = [];
  const step = (what: string, words: string, rule?: string): void => {
    steps.push({ at: "server", what, words, ...(rule === undefined ? {} : { rule }) });
  };
  step("listener", `${listener.name} takes ${call.address}:${call.port}`);
  const looksAtHttp = listAt(listener.json, "listener_filters").some(
    (filter) => textAt(filter, "name") === httpInspector,
  );
  const chain = filterChainFor(listener.json, {
    ...{ address: call.address, port: call.port, serverName: call.tls?.serverName },
    transport: call.tls === undefined ? "raw_buffer" : "tls",
    applications: call.tls?.applications ?? (looksAtHttp ? ["http/1.1"] : []),
  });
  const transport = call.tls === undefined ? "plain text" : "TLS";
  if (chain === undefined) {
    step("filter chain", `none takes ${transport}: the connection is closed`);
    return refusedConnection(steps, `the server takes no ${transport} on this port`);
  }
  const wantsTls = at(chain, "transport_socket") !== undefined;
  step(
    "filter chain",
    `${textAt(chain, "name") ?? "default"} takes ${transport}` +
      (call.tls === undefined || wantsTls ? "" : ", and hands it on as it is"),
  );
  if (call.tls === undefined && wantsTls)
    return refusedConnection(steps, "the server wants TLS on this port");
  const manager = listAt(chain, "filters").find((filter) => textAt(filter, "name") === managers);
  const peer: Peer = {
    // A chain without TLS of its own sees no certificate.
    principal: wantsTls ? call.principal : undefined,
    address: call.from,
    destinationAddress: call.address,
    destinationPort: call.port,
    serverName: call.tls?.serverName,
  };
  if (manager === undefined) return followConnection(chain, { steps, step, asked, peer });
  const config = at(manager, "typed_config");
  const request = at(config, "normalize_path") === true ? normalized(asked) : asked;
  for (const filter of listAt(config, "http_filters")) {
    const name = textAt(filter, "name") ?? "";
    const decision = name.startsWith("envoy.filters.http.rbac")
      ? decideRbac(at(filter, "typed_config"), request, peer)
      : undefined;
    if (name === "envoy.filters.http.jwt_authn" && request.headers["authorization"] !== undefined)
      step("jwt_authn", "a token that is not valid gets 401; that it is valid is assumed");
    if (decision === undefined) continue;
    const { action, policy, isAllowed } = decision;
    const words = policy === undefined ? `no ${action} policy matches` : `${action} by ${policy}`;
    step("authorization", words, policyObject(policy));
    if (isAllowed) continue;
    const reason =
      policy === undefined
        ? "there are ALLOW policies, and none matches"
        : `denied by ${policyObject(policy) ?? policy}`;
    return { status: 403, answeredBy: "the server's Envoy", reason, steps };
  }
  return followRoutes(server, at(config, "route_config"), request, steps);
}

function followRoutes(server: ConfigDump, config: unknown, request: Request, steps: Step[]): ServerOutcome {
  const found = virtualHostFor(config, request.authority);
  const route = found && routeFor(found.host, request);
  if (route === undefined)
    return { status: 404, answeredBy: "the server's Envoy", reason: "no route of the server matches", steps };
  const cluster = textAt(route.route, "route", "cluster") ?? "";
  const resource = server.cluster.find(({ name }) => name === cluster)?.json;
  const host = listAt(resource, "load_assignment", "endpoints").flatMap((group) =>
    listAt(group, "lb_endpoints"),
  )[0];
  const address = at(host, "endpoint", "address", "socket_address");
  const where =
    address === undefined
      ? "the application at the port that was called"
      : `the application at ${textAt(address, "address") ?? ""}:${Number(at(address, "port_value"))}`;
  return {
    status: undefined,
    answeredBy: "the application",
    reason: `${where} answers`,
    steps: [...steps, { at: "server", what: "cluster", words: `${cluster}: ${where}` }],
  };
}

/** Bytes: only what is known of the connection decides. */
function followConnection(
  chain: unknown,
  {
    steps,
    step,
    asked,
    peer,
  }: {
    readonly steps: Step[];
    readonly step: (what: string, words: string, rule?: string) => void;
    readonly asked: Request;
    readonly peer: Peer;
  },
): ServerOutcome {
  for (const filter of listAt(chain, "filters")) {
    if (!(textAt(filter, "name") ?? "").startsWith("envoy.filters.network.rbac")) continue;
    const decision = decideRbac(at(filter, "typed_config"), asked, peer);
    if (decision === undefined) continue;
    const { action, policy, isAllowed } = decision;
    step(
      "authorization",
      policy === undefined ? `no ${action} policy matches` : `${action} by ${policy}`,
      policyObject(policy),
    );
    if (!isAllowed) return refusedConnection(steps, "the server's policies close the connection");
  }
  step("tcp_proxy", "the bytes go to the application as they are");
  return { status: undefined, answeredBy: "the application", reason: "the application answers", steps };
}

function refusedConnection(steps: readonly Step[], reason: string): ServerOutcome {
  return { status: 503, answeredBy: "the client's Envoy", reason, steps };
}

/** The one that is bound to the address, else the one that captured connections come to. */
function listenerFor(
  server: ConfigDump,
  { address, port }: Call,
): ConfigDump["listener"][number] | undefined {
  const inbound = server.listener.filter(
    ({ json, isDynamic }) => isDynamic && textAt(json, "traffic_direction") === "INBOUND",
  );
  const isAny = (own: string): boolean => own === "0.0.0.0" || own === "::";
  return (
    inbound.find(
      (one) => portOf(one) === port && addressesOf(one).some((own) => own === address || isAny(own)),
    ) ?? inbound.find(({ name }) => name === "virtualInbound")
  );
}
