/**
 * What must hold before the first Envoy is started: a folder to write to, no Envoy of an earlier agent, free ports.
 */
import { accessSync, constants } from "node:fs";
import type { AgentConfig } from "../config/agent-config.ts";
import { ConfigError, type ConfigProblem } from "../schema/config-problem.ts";
import { endStrays, type StraysResult } from "../envoy/generation/strays.ts";
import { lookForAgent } from "../envoy/inspect/running-agent.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { makeFolder } from "../files/folder.ts";
import { claimFolder, type FolderClaim } from "../net/folder-claim.ts";
import { describePortOwner, portOwners } from "../net/port-owner.ts";
import { checkSocketPath, findListener } from "../net/unix-socket.ts";
import type { Logger } from "../telemetry/log.ts";

/** Sockets of this agent that are there from the start on. */
export interface ClaimedFolder extends AsyncDisposable {
  readonly socketPath: string;
}

/** Name of the socket in the config path that says who works there. */
const claimName = "agent.sock";

/**
 * Check all of it, in the order in which one needs the other, and claim the config path until disposed.
 *
 * @throws ConfigError; nothing of an agent that works there has been touched then
 */
export async function requirePreconditions(config: AgentConfig, log: Logger): Promise<ClaimedFolder> {
  const { configPath } = config.envoy;
  // A proxyless application reaches its socket and its bootstrap there as a user of its own.
  requireWritable(configPath, config.proxyless === undefined ? 0o700 : 0o755);
  const claim = await requireClaim(configPath);
  try {
    await requireNoStrays(configPath, log);
    await requireSocketPaths(config);
    requireFreePorts(config);
    return claim;
  } catch (error) {
    await claim[Symbol.asyncDispose]();
    throw error;
  }
}

async function requireClaim(configPath: string): Promise<ClaimedFolder> {
  let result: FolderClaim;
  try {
    result = await claimFolder(configPath, claimName);
  } catch (error) {
    throw configPathError(
      `${configPath} cannot hold a Unix socket: ${errorMessage(error)}. Set configPath to a folder that can`,
    );
  }
  if (result.kind === "ours") return result.claim;
  // A record names it, where its pid means something here.
  const { pid } = lookForAgent(configPath);
  throw inUse(
    configPath,
    pid === undefined
      ? `another outrider, which listens at ${result.socketPath}`
      : `the outrider with pid ${pid}`,
  );
}

function inUse(configPath: string, by: string): ConfigError {
  return configPathError(`${configPath} is in use by ${by}: stop it, or set configPath to another folder`);
}

function configPathError(message: string): ConfigError {
  return new ConfigError([{ source: "ProxyConfig", path: "configPath", message }]);
}

function requireWritable(configPath: string, mode: number): void {
  try {
    makeFolder(configPath, mode);
    accessSync(configPath, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw configPathError(
      `${configPath} cannot be written: ${errorMessage(error)}. Mount a writable volume there ` +
        "(an emptyDir in Kubernetes), or set configPath to a folder that this user may write",
    );
  }
}

async function requireNoStrays(configPath: string, log: Logger): Promise<void> {
  let result: StraysResult;
  try {
    result = await endStrays(configPath, log);
  } catch (error) {
    throw configPathError(
      `what an earlier outrider left in ${configPath} cannot be removed: ${errorMessage(error)}`,
    );
  }
  switch (result.kind) {
    case "clean":
      return;
    case "in-use":
      throw inUse(configPath, `the outrider with pid ${result.agentPid}`);
    case "stuck":
      throw configPathError(
        `the Envoy with pid ${result.envoyPid} that a killed outrider left in ${configPath} cannot be ended: ` +
          `${result.reason}. End it, or set configPath to another folder`,
      );
  }
}

/** Longest look at a socket, in milliseconds. */
const lookMs = 1_000;

async function requireSocketPaths({ sds, xds }: AgentConfig): Promise<void> {
  const problems: ConfigProblem[] = [];
  for (const [source, path] of [
    ["SDS socket", sds.path],
    ["XDS socket", xds.path],
  ] as const) {
    try {
      checkSocketPath(path);
      // An agent of another folder may have been told to use the same one.
      if ((await findListener(path, lookMs)) !== "nobody")
        problems.push({
          source,
          path: "",
          message: `another process listens at ${path}: stop it, or use another path`,
        });
    } catch (error) {
      problems.push({ source, path: "", message: errorMessage(error) });
    }
  }
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
