/**
 * What must hold before the first Envoy is started: a folder to write to, no Envoy of an earlier agent, free ports.
 */
import { accessSync, constants } from "node:fs";
import type { AgentConfig } from "../config/agent-config.ts";
import { ConfigError } from "../config/config-problem.ts";
import { endStrays } from "../envoy/generation/strays.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { makeFolder } from "../files/folder.ts";
import { describePortOwner, portOwners } from "../net/port-owner.ts";
import { checkSocketPath } from "../net/unix-socket.ts";
import type { Logger } from "../telemetry/log.ts";

/** Check all of it, in the order in which one needs the other. @throws ConfigError */
export async function requirePreconditions(config: AgentConfig, log: Logger): Promise<void> {
  // A proxyless application reaches its socket and its bootstrap there as a user of its own.
  requireWritable(config.envoy.configPath, config.proxyless === undefined ? 0o700 : 0o755);
  await requireNoStrays(config.envoy.configPath, log);
  requireSocketPaths(config);
  requireFreePorts(config);
}

function requireWritable(configPath: string, mode: number): void {
  try {
    makeFolder(configPath, mode);
    accessSync(configPath, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new ConfigError([
      {
        source: "ProxyConfig",
        path: "configPath",
        message:
          `${configPath} cannot be written: ${errorMessage(error)}. Mount a writable volume there ` +
          "(an emptyDir in Kubernetes), or set configPath to a folder that this user may write",
      },
    ]);
  }
}

async function requireNoStrays(configPath: string, log: Logger): Promise<void> {
  const result = await endStrays(configPath, log);
  if (result.kind === "clean") return;
  const message =
    result.kind === "in-use"
      ? `${configPath} is in use by the outrider with pid ${result.agentPid}: stop it, or set configPath to another folder`
      : `the Envoy with pid ${result.envoyPid} that a killed outrider left in ${configPath} cannot be ended: ` +
        `${result.reason}. End it, or set configPath to another folder`;
  throw new ConfigError([{ source: "ProxyConfig", path: "configPath", message }]);
}

function requireSocketPaths({ sds, xds }: AgentConfig): void {
  const problems = [
    ["SDS", sds.path],
    ["XDS", xds.path],
  ].flatMap(([source = "", path = ""]) => {
    try {
      checkSocketPath(path);
      return [];
    } catch (error) {
      return [{ source: `${source} socket`, path: "", message: errorMessage(error) }];
    }
  });
  if (problems.length > 0) throw new ConfigError(problems);
}

function requireFreePorts(config: AgentConfig): void {
  const problems = portOwners(config.knownPorts.map(({ port }) => port)).map((owner) => {
    const known = config.knownPorts.find(({ port }) => port === owner.port);
    return {
      source: "ports",
      path: "",
      message: `${describePortOwner(owner, known?.purpose ?? "in use")}: stop it, or choose another port`,
    };
  });
  if (problems.length > 0) throw new ConfigError(problems);
}
