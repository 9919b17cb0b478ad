/**
 * The file's name for a type of the cache: its own, where that is one, so that people find it.
 *
 * A control plane may name a type as it likes, and a file system takes 255 bytes, of which some are for what stands
 * before and after the name while the file is written or set aside.
 */
import { createHash } from "node:crypto";

/** End of every name. */
export const cacheSuffix = ".cache";

const plainType = /^type\.googleapis\.com\/(\w[\w.]{0,119})$/;

/** A name for each type, and for no other. */
export function cacheFileName(type: string): string {
  const [, plain] = plainType.exec(type) ?? [];
  if (plain !== undefined) return plain + cacheSuffix;
  const readable = type
    .replace(/^.*\//s, "")
    .replaceAll(/[^A-Za-z0-9]/g, "_")
    .slice(0, 40);
  // A plain type has no "-".
  return `${readable}-${createHash("sha256").update(type).digest("hex")}${cacheSuffix}`;
}
