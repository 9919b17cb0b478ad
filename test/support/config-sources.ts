/** Configuration sources for tests: a sidecar named web in namespace demo, with files held in memory. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import type { InterfaceAddress } from "../../src/config/sources/addresses.ts";
import type { CpuShare } from "../../src/process/cpu-share.ts";
import type { ConfigSources, PlatformFacts } from "../../src/config/sources/config-sources.ts";
import type { SdsSockets } from "../../src/config/sources/sds-sockets.ts";

export const templatePath: string = join(import.meta.dirname, "../../bootstrap-templates/sidecar.yaml");

export interface SourceChanges {
  readonly proxyType?: string;
  /** Flags as they are given. */
  readonly flags?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly addresses?: readonly (string | InterfaceAddress)[];
  readonly platform?: PlatformFacts;
  readonly cpus?: CpuShare;
  readonly sdsSockets?: Partial<SdsSockets>;
  readonly hosts?: Readonly<Record<string, string>>;
}

export function configSources(changes: SourceChanges = {}): ConfigSources {
  const files = new Map(Object.entries(changes.files ?? {}));
  return {
    proxyType: changes.proxyType ?? "sidecar",
    flags: Object.fromEntries(Object.entries(changes.flags ?? {}).map(([name, text]) => [name, [text]])),
    env: {
      POD_NAME: "web-1",
      POD_NAMESPACE: "demo",
      SERVICE_ACCOUNT: "web",
      INSTANCE_IP: "10.1.1.7",
      ...changes.env,
    },
    interfaces: (changes.addresses ?? []).map((entry) =>
      typeof entry === "string" ? { name: "eth0", address: entry } : entry,
    ),
    workingDirectory: "/",
    cpus: changes.cpus ?? { limit: undefined, request: undefined, available: 8 },
    sdsSockets: { isWorkloadExternal: false, hasCredentials: false, ...changes.sdsSockets },
    platform: changes.platform,
    resolve: (host) => (isIP(host) === 0 ? changes.hosts?.[host] : host),
    readFile: (path) => {
      const text = path === templatePath ? readFileSync(path, "utf8") : files.get(path);
      return text === undefined ? { kind: "missing" } : { kind: "read", text };
    },
    templatePath: templatePath,
    version: "0.0.0-test",
  };
}
