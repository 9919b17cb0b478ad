/**
 * Envoy's admin interface on its port: what of it is the agent's to answer.
 */
import { listenForAdmin } from "../envoy/admin/forwarder.ts";
import type { EnvoySupervisor } from "../envoy/supervision/supervisor.ts";
import type { HttpServer } from "../net/http-server.ts";
import type { Logger } from "../telemetry/log.ts";

/** What the port leads to. */
export interface AdminPortDependencies {
  readonly supervisor: EnvoySupervisor;
  readonly quit: (reason: string) => void;
  readonly log: Logger;
}

/** @throws the system error when the port cannot be bound */
export function listenOnAdminPort(
  address: { readonly host: string; readonly port: number },
  { supervisor, quit, log }: AdminPortDependencies,
): Promise<HttpServer> {
  return listenForAdmin({
    ...address,
    socketPath: () => supervisor.admin.socketPath,
    unavailable: () => `Envoy is ${supervisor.report.state.current.kind}`,
    quit: () => {
      quit("POST /quitquitquit on the admin port");
    },
    drained: (query) => {
      supervisor.noteDrain(query);
    },
    log,
  });
}
