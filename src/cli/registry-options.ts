/**
 * Which registries the control plane follows beside its folder.
 */
import type { ConsulTarget } from "../controlplane/registry/consul/blocking-query.ts";
import { readRegularFile } from "../files/read-regular-file.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import type { SettingValues } from "../schema/setting.ts";
import type { discoveryFlags } from "./discovery-flags.ts";

type Flags = SettingValues<typeof discoveryFlags>;

/** Flags that say something of Consul. */
const consulFlags = ["consulserverURL", "consulTokenFile", "consulCaFile", "consulDatacenter"] as const;

/** Where Consul's agent listens unless it is told otherwise. */
const defaultUrl = "http://127.0.0.1:8500";

/**
 * @param refuse is told what cannot be used, by its flag
 * @returns undefined without Consul
 */
export function consulTarget(
  flags: Pick<Flags, "registries" | (typeof consulFlags)[number]>,
  refuse: (flag: keyof Flags, message: string) => void,
): ConsulTarget | undefined {
  const names = flags.registries.split(",").flatMap((name) => name.trim() || []);
  for (const name of names)
    if (name !== "Consul") refuse("registries", `${JSON.stringify(name)} is not one of Consul`);
  if (!names.includes("Consul")) {
    for (const flag of consulFlags)
      if (flags[flag] !== undefined) refuse(flag, "is for Consul: add --registries=Consul, or remove it");
    return undefined;
  }
  const { consulTokenFile: tokenFile, consulCaFile: caFile, consulDatacenter: datacenter } = flags;
  const url = flags.consulserverURL ?? defaultUrl;
  const problem = urlProblem(url);
  if (problem !== undefined) refuse("consulserverURL", problem);
  // A token that comes later is waited for, and so is Consul; what stays as it is has to be there.
  if (caFile !== undefined) {
    try {
      readRegularFile(caFile);
    } catch (error) {
      refuse("consulCaFile", `${caFile} cannot be read: ${errorMessage(error)}. Name a file of certificates`);
    }
  }
  if (datacenter !== undefined && !/^[a-z0-9_-]{1,64}$/i.test(datacenter))
    refuse("consulDatacenter", "is no name of a datacentre: letters, digits, - and _, at most 64");
  return { url, tokenFile, caFile, datacenter };
}

/** The URL itself is not repeated: it may hold a password. */
function urlProblem(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol))
    return "is not a URL such as http://127.0.0.1:8500";
  if (url.username !== "" || url.password !== "")
    return "holds a user or password, which Consul does not read: put its token into --consulTokenFile";
  return url.search !== "" || url.hash !== ""
    ? "holds more than a scheme, a host, a port and a path"
    : undefined;
}
