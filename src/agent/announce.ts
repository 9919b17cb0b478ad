/**
 * The agent says where it is, so that commands beside it need not be told.
 */
import type { AgentConfig } from "../config/agent-config.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { announce } from "../status/announcement.ts";
import type { Logger } from "../telemetry/log.ts";

/** Until disposed; undefined where there is no place for it, which costs only that. */
export function announceAgent(
  { nodeId, announcement: { folder, ...where } }: Pick<AgentConfig, "nodeId" | "announcement">,
  pid: number,
  log: Logger,
): Disposable | undefined {
  try {
    return announce(folder, { ...where, name: nodeId.split("~")[2] ?? nodeId, pid });
  } catch (error) {
    log.debug("commands beside this agent have to be told its ports", {
      folder,
      reason: errorMessage(error),
    });
    return undefined;
  }
}
