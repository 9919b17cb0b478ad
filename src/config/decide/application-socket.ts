/**
 * Where an application may tell the agent that it lives.
 */
import { join } from "node:path";
import type { ApplicationSocketOptions } from "../../application/options.ts";
import type { ProxyFlags } from "../sources/proxy-flags.ts";
import type { ConfigProblem } from "../../schema/config-problem.ts";
import { flagDurationMs } from "../../schema/duration.ts";

/**
 * The application has a user of its own. Whoever may reach the socket can end the sidecar, as any container of
 * the pod can through /quitquitquit; who may reach it is said by who mounts its folder.
 */
const mode = 0o666;

/** Undefined when `--appSocket=off`. */
export function applicationSocket(
  flags: Pick<ProxyFlags, "appSocket" | "appGrace">,
  configPath: string,
  problems: ConfigProblem[],
): ApplicationSocketOptions | undefined {
  const graceMs = flagDurationMs("--appGrace", flags.appGrace, problems);
  if (flags.appSocket === "off") return undefined;
  return { path: flags.appSocket || join(configPath, "app.sock"), mode, graceMs };
}
