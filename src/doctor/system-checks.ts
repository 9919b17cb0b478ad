/**
 * The checks that read the machine: files, `/proc`, limits.
 */
import { readdirSync, readFileSync } from "node:fs";
import { AdminClient } from "../envoy/admin/admin.ts";
import type { ListenerFacts } from "../envoy/admin/listeners.ts";
import { listeningPorts } from "../net/port-owner.ts";
import { readProcessStat } from "../process/identity.ts";
import { cpusOf } from "../process/cpu-share.ts";
import { judgeBaseIds, lookAtBaseIds } from "./base-id.ts";
import { judgeCapture } from "./capture.ts";
import { judgeConfigPath, lookAtConfigPath } from "./config-path.ts";
import { judgeCpu, lookAtThrottling } from "./cpu.ts";
import { judgeDnsCapture } from "./dns-capture.ts";
import { judgeMigration, judgePortRange, parsePortRange, parseReservedPorts } from "./kernel.ts";
import { judgeLimits, parseLimits } from "./limits.ts";
import { lookAtCapture } from "./look-at-capture.ts";
import { lookAtDnsCapture } from "./look-at-dns-capture.ts";
import { judgeMemory, lookAtMemory } from "./memory.ts";
import { lookAtPorts } from "./ports.ts";
import { effectiveCapabilities, judgePrivileges } from "./privileges.ts";
import { judgePidNamespace, namespaceDepth } from "./processes.ts";
import { judgeRoots, lookAtRoots } from "./root-certificate.ts";
import type { Check } from "./run-checks.ts";
import type { RunningAgent } from "../envoy/inspect/running-agent.ts";
import { judgeSharedMemory, lookAtSharedMemory } from "./shared-memory.ts";
import { judgeSocketPaths } from "./socket-paths.ts";
import { capturesDns, interceptionMode, type Subject } from "./subject.ts";
import { judgeToken, lookAtToken } from "./token.ts";

/** In the order in which they are shown. */
export function systemChecks(
  subject: Subject,
  agent: RunningAgent,
  env: Readonly<Record<string, string | undefined>>,
): readonly Check[] {
  const { config, identity, knownPorts } = subject;
  return [
    { name: "config-path", run: () => [judgeConfigPath(lookAtConfigPath(subject.configPath))] },
    {
      name: "socket-paths",
      run: () => [
        judgeSocketPaths({
          configPath: subject.configPath,
          xds: subject.xds.path,
          sds: subject.sds.path,
          application: config?.application?.path,
        }),
      ],
    },
    {
      name: "ports",
      run: async () =>
        lookAtPorts(knownPorts, { ...agent, listeners: await runningListeners(subject.admin, agent) }),
    },
    {
      name: "port-range",
      run: () => [
        judgePortRange(
          knownPorts.filter(({ port }) => port !== 0),
          parsePortRange(sysctl("ip_local_port_range") ?? ""),
          parseReservedPorts(sysctl("ip_local_reserved_ports") ?? ""),
        ),
      ],
    },
    { name: "tcp-migrate-req", run: () => [judgeMigration(sysctl("tcp_migrate_req"))] },
    {
      name: "shared-memory",
      run: () => [judgeSharedMemory(lookAtSharedMemory(), config?.supervision.swapMode === "hot")],
    },
    {
      name: "hot-restart-base-id",
      run: () => [judgeBaseIds(lookAtBaseIds(readFileSync("/proc/net/unix", "utf8"), uid()))],
    },
    {
      name: "user",
      run: () =>
        judgePrivileges({
          uid: uid(),
          gid: process.getegid?.() ?? 0,
          capabilities: effectiveCapabilities(readFileSync("/proc/self/status", "utf8")),
          unprivilegedPortStart: Number(sysctl("ip_unprivileged_port_start") ?? 1_024),
          interceptionMode: interceptionMode(config, env),
          ports: knownPorts,
        }),
    },
    ...captureChecks(subject, env),
    ...dnsCaptureChecks(subject, agent, env),
    {
      name: "open-files",
      run: () =>
        judgeLimits({
          ...parseLimits(readFileSync(`/proc/${agent.pid ?? "self"}/limits`, "utf8")),
          wantsCoreDump: config?.envoy.enableCoreDump ?? false,
        }),
    },
    { name: "memory", run: () => [judgeMemory(lookAtMemory(agent))] },
    {
      name: "cpu",
      run: async (signal) => [
        judgeCpu({
          ...cpusOf(agent.pid),
          concurrency: config?.envoy.concurrency,
          throttled: await lookAtThrottling(agent.pid, signal),
        }),
      ],
    },
    { name: "pid-1", run: () => [judgePidNamespace(lookAtPidNamespace(agent))] },
    {
      name: "token",
      run: () => [
        judgeToken(
          lookAtToken(identity.tokenPath),
          {
            path: identity.tokenPath,
            namespace: identity.namespace,
            serviceAccount: identity.serviceAccount,
            google: identity.googleToken,
          },
          new Date(),
        ),
      ],
    },
    ...rootChecks(subject),
  ];
}

/** None where nothing is to be captured. */
function captureChecks(
  { config }: Subject,
  env: Readonly<Record<string, string | undefined>>,
): readonly Check[] {
  if (interceptionMode(config, env) === "NONE") return [];
  return [
    {
      name: "capture",
      run: async () => judgeCapture(await lookAtCapture()),
    },
  ];
}

/** None where no agent that runs is to answer the applications' queries; it may be another user's, and not to be seen. */
function dnsCaptureChecks(
  { config }: Subject,
  { pid }: RunningAgent,
  env: Readonly<Record<string, string | undefined>>,
): readonly Check[] {
  if (config?.dns === undefined || !capturesDns(config)) return [];
  const { dns } = config;
  if (pid === undefined && !listeningPorts().includes(dns.listen.port)) return [];
  return [
    {
      name: "capture-dns",
      run: async () => [
        judgeDnsCapture(await lookAtDnsCapture(dns, interceptionMode(config, env) !== "NONE")),
      ],
    },
  ];
}

/** One check per file; a file that both settings name is looked at once. */
function rootChecks({ identity, xds }: Subject): readonly Check[] {
  const roots = [
    ["XDS_ROOT_CA", xds.upstream.tls?.rootCertificatePath],
    ["CA_ROOT_CA", identity.tls?.rootCertificatePath],
  ] as const;
  const byPath = Map.groupBy(
    roots.flatMap(([setting, path]) => (path === undefined ? [] : [{ setting, path }])),
    ({ path }) => path,
  );
  return [...byPath].map(([path, uses]) => {
    const settings = uses.map(({ setting }) => setting).join(" and ");
    return {
      name: "root-certificate",
      run: () => [judgeRoots(path, settings, lookAtRoots(path), new Date())],
    };
  });
}

/** Longest wait for the running Envoy, in milliseconds. */
const listenersMs = 1_000;

async function runningListeners(
  admin: Subject["admin"],
  agent: RunningAgent,
): Promise<readonly ListenerFacts[] | undefined> {
  if (agent.envoys.length === 0) return undefined;
  try {
    return await new AdminClient(admin).listeners(listenersMs);
  } catch {
    return undefined;
  }
}

function lookAtPidNamespace(agent: RunningAgent): Parameters<typeof judgePidNamespace>[0] {
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => readProcessStat(Number(pid)) ?? [])
    .filter(({ parent }) => parent === 1);
  return {
    init: readFileSync("/proc/1/cmdline", "utf8")
      .split("\0")
      .filter((word) => word !== ""),
    depth: namespaceDepth(readFileSync("/proc/self/status", "utf8")),
    childStates: children.map(({ state }) => state),
    agentPid: agent.pid,
  };
}

/** A setting of this network namespace; undefined when the kernel has none of that name. */
function sysctl(name: string): string | undefined {
  try {
    return readFileSync(`/proc/sys/net/ipv4/${name}`, "utf8");
  } catch {
    return undefined;
  }
}

function uid(): number {
  return process.geteuid?.() ?? 0;
}
