/**
 * The bootstrap of one generation, as JSON text for Envoy.
 */
import { asMapping, mergeBootstrap } from "./merge.ts";
import type { Json } from "./parameters.ts";

/**
 * Lay the override over a bootstrap and put the admin interface on the generation's own socket, whatever either
 * of them says: on TCP any container of the pod could end Envoy.
 */
export function finishBootstrap(
  bootstrap: Json,
  override: Json | undefined,
  adminSocketPath: string,
): string {
  const merged = override === undefined ? bootstrap : mergeBootstrap(bootstrap, override);
  const fields = asMapping(merged);
  const admin = {
    ...asMapping(fields["admin"]),
    address: { pipe: { path: adminSocketPath, mode: 0o600 } },
  };
  return `${JSON.stringify({ ...fields, admin }, undefined, 2)}\n`;
}
