/** Configuration sources for tests: a sidecar named web in namespace demo, with files held in memory. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import type { InterfaceAddress } from "../../src/config/sources/addresses.ts";
import type { CpuShare } from "../../src/process/cpu-share.ts";
import type { ConfigSources, PlatformFacts } from "../../src/config/sources/config-sources.ts";
import type { ProxyFlags } from "../../src/config/sources/proxy-flags.ts";
import type { SdsSockets } from "../../src/config/sources/sds-sockets.ts";

export const templatePath: string = join(import.meta.dirname, "../../bootstrap-templates/sidecar.yaml");

export const logFlags: ProxyFlags["log"] = {
  outputLevel: "default:info",
  asJson: false,
  targets: [],
  callers: "",
  stacktraceLevel: "default:none",
};

const flags: ProxyFlags = {
  proxyType: "sidecar",
  domain: undefined,
  meshConfig: "./etc/istio/config/mesh",
  binaryPath: undefined,
  serviceCluster: "istio-proxy",
  proxyLogLevel: "warning",
  proxyComponentLogLevel: "",
  concurrency: undefined,
  templateFile: undefined,
  outlierLogPath: undefined,
  stsPort: 0,
  platformMetadataDeadline: "250ms",
  pilot: {},
  parentShutdownDuration: undefined,
  supervision: {
    swapMode: "auto",
    swapTimeout: "30s",
    swapProofTimeout: "5s",
    swapProbation: "10s",
    restartBudget: 10,
    restartWindow: "5m",
    restartBackoff: "200ms",
    restartMaxBackoff: "15s",
    restartStableAfter: "60s",
    hangCheckInterval: "1s",
    hangCheckTimeout: "1s",
    hangChecks: 3,
    hangChecksBusy: 60,
  },
  identity: {
    socketMode: undefined,
    identityCache: undefined,
    identityCacheOnDisk: false,
    onRotate: undefined,
  },
  preDrainDelay: "0s",
  appSocket: undefined,
  appGrace: "1s",
  xdsCache: true,
  xdsCacheAfter: "2s",
  wasmFolder: "/var/lib/istio/data",
  log: logFlags,
  profiling: true,
};

export interface SourceChanges {
  readonly flags?: Partial<ProxyFlags>;
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
    flags: { ...flags, ...changes.flags },
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
