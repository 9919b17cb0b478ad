/**
 * Whether a newcomer could take over from the Envoy that runs: all that it has accepted, warmed and would serve.
 */
import { probeTls } from "../../net/tls-probe.ts";
import type { Generation } from "../generation/generation.ts";
import { envoyReadiness, readinessStats } from "../admin/readiness.ts";
import type { Yardstick } from "./incumbent.ts";
import type { ListenerHold, NewcomerServices } from "./newcomer-services.ts";
import { findRefusedListeners, findTlsFaults, findUnreadyParts } from "./proof.ts";

/** What it lacks that the running Envoy has; empty when nothing. @throws when its admin interface does not answer */
export async function proveNewcomer(
  newcomer: Generation,
  running: Yardstick,
  services: NewcomerServices,
  hold: ListenerHold,
): Promise<readonly string[]> {
  const { admin, pid } = newcomer;
  if (pid === undefined) return ["the new generation has no process"];
  const lacks = hold.lacks();
  if (lacks.length > 0) return lacks;
  const [refused, unready] = await Promise.all([
    findRefusedListeners(admin, running.listeners),
    findUnreadyParts(admin),
  ]);
  const faults = [...refused, ...unready.filter((fault) => !running.faults.includes(fault))];
  if (faults.length > 0) return faults;
  return findTlsFaults({ admin, pid, identity: services.identity(), probe: probeTls });
}

/** Whether it serves now, asked once. */
export async function answersLive({ admin, launch }: Generation): Promise<boolean> {
  try {
    return envoyReadiness(await admin.stats(readinessStats), launch.awaits).ready;
  } catch {
    return false;
  }
}
