/**
 * What has to be asked for before the configuration can be made: addresses of interfaces, the cloud, a name, who
 * serves secrets. All of it at once, each with a deadline, because Envoy waits.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { socketAddress } from "../bootstrap/services.ts";
import { ownCpus } from "../lifecycle/cpu-share.ts";
import { sleep } from "../lifecycle/sleep.ts";
import { type InterfaceAddress, isUnsettled } from "./addresses.ts";
import type { ConfigSources } from "./agent-config.ts";
import { readPlatform } from "./cloud/read-platform.ts";
import { readEffectiveConfig } from "./effective-config.ts";
import { paths } from "./paths.ts";
import { interfaceAddresses } from "./read-sources.ts";
import { findSdsSockets } from "./sds-sockets.ts";

/** What was found. */
export type Surroundings = Pick<
  ConfigSources,
  "cpus" | "interfaces" | "platform" | "resolve" | "sdsSockets" | "workingDirectory"
>;

/** How long addresses may take to be assigned, and a name to be looked up, in milliseconds. */
const limits = { addressesMs: 120_000, pollMs: 100, lookupMs: 2_000 } as const;

/** Look around. `platformDeadlineMs` bounds what the cloud may take. */
export async function lookAround(
  sources: Pick<ConfigSources, "env" | "flags" | "readFile">,
  platformDeadlineMs: number,
): Promise<Surroundings> {
  const [interfaces, platform, resolve, sdsSockets] = await Promise.all([
    settledInterfaces(interfaceAddresses),
    readPlatform(sources, platformDeadlineMs),
    resolver(sources),
    findSdsSockets(sources.env),
  ]);
  return { cpus: ownCpus(), interfaces, platform, resolve, sdsSockets, workingDirectory: process.cwd() };
}

/** Interfaces once every address of theirs is assigned, or as they are when that takes too long. */
export async function settledInterfaces(
  read: () => readonly InterfaceAddress[],
): Promise<readonly InterfaceAddress[]> {
  const deadline = performance.now() + limits.addressesMs;
  let interfaces = read();
  while (isUnsettled(interfaces) && performance.now() < deadline) {
    await sleep(limits.pollMs);
    interfaces = read();
  }
  return interfaces;
}

/** Statsd alone needs an address where everything else takes a name. */
async function resolver(
  sources: Pick<ConfigSources, "env" | "flags" | "readFile">,
): Promise<ConfigSources["resolve"]> {
  const literal = (host: string): string | undefined => (isIP(host) === 0 ? undefined : host);
  const texts = [sources.env["PROXY_CONFIG"], sources.flags.pilot.statsdUdpAddress].concat(
    [sources.flags.meshConfig, paths.podAnnotations].map((path) => {
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
    sleep(limits.lookupMs).then(() => undefined),
  ]);
  return (name) => (name === host ? found?.address : literal(name));
}
