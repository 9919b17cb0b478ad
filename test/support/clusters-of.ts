/** What clusters a sidecar's Envoy has. */
import { get, type TestSidecar } from "./mesh.ts";

/** Envoy's own list, as text. */
export async function clustersOf({ ports }: TestSidecar): Promise<string> {
  return (await get(ports.admin, "/clusters")).body.toString("utf8");
}
