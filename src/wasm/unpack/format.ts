/**
 * What a file is, by its first bytes. Pure.
 */

/** A module, or what may hold one. */
export type FileFormat = "wasm" | "component" | "gzip" | "zstd" | "tar" | "unknown";

/** Bytes of a file's beginning that have to be known. */
export const headBytes = 512;

const magic = {
  wasm: Buffer.from("\0asm"),
  gzip: Buffer.from([0x1f, 0x8b]),
  zstd: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
  /** Of POSIX' and of GNU's tar, at its place in the header. */
  tar: Buffer.from("ustar"),
} as const;

const tarMagicAt = 257;
const moduleVersion = 1;

/** @param head the first 512 bytes, or all if there are fewer */
export function formatOf(head: Buffer): FileFormat {
  const isAt = (expected: Buffer, at: number): boolean =>
    head.subarray(at, at + expected.length).equals(expected);
  if (isAt(magic.wasm, 0) && head.length >= 8)
    // The second half of a component's version says so.
    return head.readUInt32LE(4) === moduleVersion ? "wasm" : "component";
  if (isAt(magic.gzip, 0)) return "gzip";
  if (isAt(magic.zstd, 0)) return "zstd";
  return isAt(magic.tar, tarMagicAt) ? "tar" : "unknown";
}
