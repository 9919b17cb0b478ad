/**
 * Which listener of a client's Envoy a call of its application comes to, and which routes that leads to. Pure.
 */
import { at, listAt, textAt } from "../../lifecycle/json-path.ts";
import type { ConfigDump, DumpedResource } from "../proxy/config-dump.ts";
import { addressesOf, chainsOf, portOf } from "../proxy/views/listener.ts";
import { virtualHostFor } from "./route-choice.ts";

/** What the application calls. */
export interface ClientTarget {
  /** A name or an address. */
  readonly host: string;
  readonly port: number;
}

/** Where that leads. */
export type ClientWay =
  | {
      readonly kind: "routes";
      readonly words: string;
      readonly routeName: string;
      readonly config: unknown;
      readonly normalizes: boolean;
    }
  | { readonly kind: "bytes"; readonly words: string; readonly cluster: string }
  | { readonly kind: "none"; readonly words: string };

const managers = "envoy.filters.network.http_connection_manager";
const everyAddress: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/**
 * A captured call comes to the listener of its port, that of the service's own address before that for all. Where
 * nothing is captured, the application calls a port of the sidecar's own, whose routes know the name.
 */
export function clientRoutes(dump: ConfigDump, { host, port }: ClientTarget): ClientWay {
  const outbound = dump.listener.filter(({ json }) => textAt(json, "traffic_direction") === "OUTBOUND");
  const knows = (listener: DumpedResource): boolean => {
    const found = routesOf(dump, listener);
    const match = found && virtualHostFor(found.config, `${host}:${port}`);
    const direct = found && virtualHostFor(found.config, host);
    return [match, direct].some((each) => each !== undefined && each.domain !== "*");
  };
  const ofPort = outbound.filter((listener) => portOf(listener) === port);
  const listener =
    ofPort.find((each) => addressesOf(each).includes(host)) ??
    ofPort.find((each) => addressesOf(each).every((own) => !everyAddress.has(own)) && knows(each)) ??
    ofPort.find((each) => addressesOf(each).some((own) => everyAddress.has(own))) ??
    outbound.find((each) => isBound(each) && knows(each)) ??
    outbound.find(({ name }) => name === "virtualOutbound") ??
    outbound.find((each) => isBound(each) && routesOf(dump, each) !== undefined);
  if (listener === undefined)
    return { kind: "none", words: `no listener takes ${host}:${port}: the call goes past this Envoy` };
  const found = routesOf(dump, listener);
  if (found !== undefined)
    return { kind: "routes", words: `${listener.name}, routes ${found.routeName}`, ...found };
  const cluster = chainsOf(listener)
    .flatMap((chain) => listAt(chain, "filters"))
    .map((filter) => textAt(filter, "typed_config", "cluster"))
    .findLast((name) => name !== undefined && name !== "BlackHoleCluster");
  return {
    kind: "bytes",
    words: `${listener.name}, whose connections are bytes`,
    cluster: cluster ?? "BlackHoleCluster",
  };
}

/** It has a port of its own, which the application calls. */
function isBound({ json }: DumpedResource): boolean {
  return at(json, "bind_to_port") !== false && at(json, "use_original_dst") !== true;
}

function routesOf(
  dump: ConfigDump,
  listener: DumpedResource,
): { readonly routeName: string; readonly config: unknown; readonly normalizes: boolean } | undefined {
  const manager = chainsOf(listener)
    .flatMap((chain) => listAt(chain, "filters"))
    .find((filter) => textAt(filter, "name") === managers);
  const config = at(manager, "typed_config");
  const inline = at(config, "route_config");
  const routeName = textAt(config, "rds", "route_config_name") ?? textAt(inline, "name");
  if (manager === undefined || routeName === undefined) return undefined;
  const routes = inline ?? dump.route.find(({ name }) => name === routeName)?.json;
  return { routeName, config: routes, normalizes: at(config, "normalize_path") === true };
}
