/**
 * Looks after the agent's Unix sockets and the active Envoy's: whoever removes one, or all of the config path, must
 * not cut off those who connect next.
 */
import type { AgentConfig } from "../config/agent-config.ts";
import type { Generation } from "../envoy/generation/generation.ts";
import type { EnvoySupervisor } from "../envoy/supervision/supervisor.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { ticks } from "../lifecycle/tick.ts";
import { KeptSockets } from "../net/kept-sockets.ts";
import type { Logger } from "../telemetry/log.ts";

/** Each look costs an agent at rest; a lost admin socket is to be back before a probe has failed twice. */
const everyMs = 2_000;

/**
 * Give lost sockets back their names until `signal` aborts.
 *
 * @param supervisor undefined without Envoy
 */
export async function keepSockets(
  config: Pick<AgentConfig, "sds" | "xds" | "application">,
  claimPath: string,
  supervisor: EnvoySupervisor | undefined,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const own = [config.sds.path, config.xds.path, claimPath, config.application?.path ?? claimPath];
  using sockets = new KeptSockets();
  const failing = new Set<string>();
  for await (const _ of ticks(everyMs, signal)) {
    const envoy = supervisor?.active;
    const admin = envoy?.admin.socketPath;
    // Envoy's goes first, while it is known to live: what it leaves is removed when it ends.
    for (const { path, error } of await sockets.look(admin === undefined ? own : [admin, ...own])) {
      const problem = error ?? (path === admin ? restoredFolder(envoy) : undefined);
      if (problem === undefined) {
        log.warn("socket was removed by somebody, given back its name", { path });
        failing.delete(path);
        continue;
      }
      if (!failing.has(path)) {
        log.error("socket was removed by somebody and cannot be given back its name", {
          path,
          reason: errorMessage(problem),
        });
      }
      failing.add(path);
    }
  }
}

/** Undefined, or why its files cannot be written. */
function restoredFolder(envoy: Generation | undefined): unknown {
  try {
    envoy?.restoreFolder();
    return undefined;
  } catch (error) {
    return error;
  }
}
