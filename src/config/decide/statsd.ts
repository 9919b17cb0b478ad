/**
 * Where Envoy's statistics go: statsd alone needs an address where everything else takes a name, so it is looked up
 * before Envoy starts.
 */
import { socketAddress } from "../../bootstrap/services.ts";
import type { HostPort } from "../../net/host-port.ts";
import type { ConfigSources } from "../sources/config-sources.ts";
import type { Environment } from "../sources/environment.ts";

/** Undefined when there is none, or when its name cannot be resolved, which is a warning. */
export function resolveStatsd(
  address: string | undefined,
  { env, resolve }: { readonly env: Environment; readonly resolve: ConfigSources["resolve"] },
  warnings: string[],
): HostPort | undefined {
  if (address === undefined) return undefined;
  const { address: name, port_value: port } = socketAddress(address, env.HOST_IP);
  const host = resolve(name);
  if (host !== undefined) return { host, port };
  warnings.push(`ProxyConfig: statsdUdpAddress: ${name} could not be resolved; no statistics are sent to it`);
  return undefined;
}
