/**
 * Where an application may tell the agent that it lives.
 */
import { join } from "node:path";
import type { ApplicationSocketOptions } from "../../application/options.ts";
import type { ProxyFlags } from "../sources/proxy-flags.ts";

/**
 * The application has a user of its own. Whoever may reach the socket can end the sidecar, as any container of
 * the pod can through /quitquitquit; who may reach it is said by who mounts its folder.
 */
const mode = 0o666;

/** Undefined when `--appSocket=off`. */
export function applicationSocket(
  flags: Pick<ProxyFlags, "appSocket" | "appGrace">,
  configPath: string,
): ApplicationSocketOptions | undefined {
  if (flags.appSocket === "off") return undefined;
  return { path: flags.appSocket || join(configPath, "app.sock"), mode, graceMs: flags.appGrace };
}
