/**
 * What has to be asked for before the configuration can be made: addresses of interfaces, the cloud, a name, who
 * serves secrets. All of it at once, each with a deadline, because Envoy waits.
 */
import { type Environment, readEnvironment } from "./sources/environment.ts";
import { lookup } from "node:dns/promises";
import { isIP } from "../net/ip-version.ts";
import { socketAddress } from "../bootstrap/services.ts";
import { cpusOf } from "../process/cpu-share.ts";
import { sleep } from "../lifecycle/sleep.ts";
import type { ConfigSources } from "./sources/config-sources.ts";
import { readPlatform } from "./cloud/read-platform.ts";
import { readEffectiveConfig } from "./proxy-config/effective-config.ts";
import { type ProxyFlags, readProxyFlags } from "./sources/proxy-flags.ts";
import { paths } from "./sources/paths.ts";
import { interfaceAddresses } from "./sources/read-sources.ts";
import { findSdsSockets } from "./sources/sds-sockets.ts";
import { settleInterfaces, type SettleOptions } from "./sources/settle-interfaces.ts";

/** What was found. */
export type Surroundings = Pick<
  ConfigSources,
  "cpus" | "interfaces" | "platform" | "resolve" | "sdsSockets" | "workingDirectory"
>;

/** How long a name may take to be looked up, in milliseconds. */
const lookupMs = 2_000;

/**
 * Look around.
 *
 * @param settle how to wait for addresses; undefined takes what there is
 * @param pid of the agent whose surroundings these are; this process unless told
 */
export async function lookAround(
  sources: Pick<ConfigSources, "env" | "flags" | "readFile">,
  settle: SettleOptions | undefined,
  pid?: number,
): Promise<Surroundings> {
  const flags = readProxyFlags(sources, []);
  const env = readEnvironment(sources.env, [], []);
  const instanceIp = env.INSTANCE_IP || flags.pilot.ip || "";
  const [interfaces, platform, resolve, sdsSockets] = await Promise.all([
    settle === undefined ? interfaceAddresses() : settleInterfaces(instanceIp, settle),
    readPlatform(sources, flags.platformMetadataDeadline),
    resolver(sources, flags, env),
    findSdsSockets(env.WORKLOAD_IDENTITY_SOCKET_FILE),
  ]);
  return { cpus: cpusOf(pid), interfaces, platform, resolve, sdsSockets, workingDirectory: process.cwd() };
}

/** Statsd alone needs an address where everything else takes a name. */
async function resolver(
  sources: Pick<ConfigSources, "env" | "flags" | "readFile">,
  flags: ProxyFlags,
  given: Environment,
): Promise<ConfigSources["resolve"]> {
  const literal = (host: string): string | undefined => (isIP(host) === 0 ? undefined : host);
  const texts = [given.PROXY_CONFIG, flags.pilot.statsdUdpAddress].concat(
    [flags.meshConfig, paths.podAnnotations].map((path) => {
      const content = sources.readFile(path);
      return content.kind === "read" ? content.text : "";
    }),
  );
  if (texts.every((text) => text === undefined || !/statsd/i.test(text))) return literal;
  const { env, proxy } = readEffectiveConfig(sources, []);
  if (proxy.statsdUdpAddress === undefined) return literal;
  const host = socketAddress(proxy.statsdUdpAddress, env.HOST_IP).address;
  if (isIP(host) !== 0) return literal;
  const found = await Promise.race([
    lookup(host, { order: "ipv4first" }).catch(() => undefined),
    sleep(lookupMs).then(() => undefined),
  ]);
  return (name) => (name === host ? found?.address : literal(name));
}
