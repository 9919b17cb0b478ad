/** Launches and limits for tests of supervision that start nothing. */
import type { PreparedLaunch } from "../../../src/envoy/generation/launch.ts";
import type { SupervisionPolicy } from "../../../src/envoy/supervision/policy.ts";
import { defaultRestartPolicy } from "../../../src/envoy/supervision/restart-policy.ts";
import { defaultHangPolicy } from "../../../src/envoy/supervision/watchdog.ts";

const launches = new Map<string, PreparedLaunch>();

/** A launch that is told from others by its name alone. */
export function launchNamed(name: string): PreparedLaunch {
  const launch =
    launches.get(name) ?? Object.defineProperty(newLaunch(name), "toJSON", { value: () => name });
  launches.set(name, launch);
  return launch;
}

function newLaunch(name: string): PreparedLaunch {
  return {
    binary: "/usr/local/bin/envoy",
    binaryIdentity: "envoy",
    bootstrap: "{}",
    fingerprint: name,
    files: [],
    awaits: { clusters: false, listeners: false, secrets: false, names: [] },
    staticPorts: [],
    options: {
      configPath: "/etc/istio/proxy",
      drainDurationMs: 45_000,
      parentShutdownDurationMs: 60_000,
      preDrainDelayMs: 0,
      terminationDrainDurationMs: 5_000,
      exitOnZeroActiveConnections: false,
      minimumDrainDurationMs: 5_000,
      maximumDrainDurationMs: undefined,
      drainInboundOnly: false,
      ownPorts: [],
      localAddressIpVersion: "v4",
      logLevel: undefined,
      componentLogLevel: undefined,
      skipDeprecatedLogs: false,
      enableCoreDump: false,
      fileFlushIntervalMs: 1_000,
      fileFlushMinSizeKb: undefined,
      environment: {},
      concurrency: 2,
    },
  };
}

export const policy: SupervisionPolicy = {
  swapMode: "auto",
  swap: { liveWithinMs: 30_000, provenWithinMs: 10_000, probationMs: 60_000 },
  restart: { ...defaultRestartPolicy, budget: 4 },
  hang: defaultHangPolicy,
};
