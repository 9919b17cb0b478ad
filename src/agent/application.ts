/**
 * The application's socket: whoever holds it learns when Envoy serves, and the sidecar ends once nobody does any more.
 */
import type { ApplicationSocketOptions } from "../application/options.ts";
import { ApplicationSocket } from "../application/socket.ts";
import { untilLive } from "../envoy/supervision/serving.ts";
import type { EnvoySupervisor } from "../envoy/supervision/supervisor.ts";
import type { TaskGroup } from "../lifecycle/task-group.ts";
import type { Logger } from "../telemetry/log.ts";

/** What the socket tells of, and whom it tells. */
export interface ApplicationDependencies {
  readonly supervisor: EnvoySupervisor;
  readonly quit: (reason: string) => void;
  readonly tasks: TaskGroup;
  readonly log: Logger;
}

/** @throws SocketPathError, or the system error of a failed bind */
export async function listenForApplication(
  options: ApplicationSocketOptions,
  { supervisor, quit, tasks, log }: ApplicationDependencies,
): Promise<ApplicationSocket> {
  const socket = await ApplicationSocket.listen(options, {
    ready: (signal) => untilLive(supervisor.report.state, signal),
    tasks,
    log,
  });
  socket.gone.addEventListener("abort", () => {
    quit("the application is gone");
  });
  return socket;
}
