/** A tar.gz, unpacked with the system's tar. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";

export interface UnpackedFile {
  /** Without the archive's own folder. */
  readonly name: string;
  readonly mode: number;
  readonly bytes: Buffer;
}

export function unpack(archive: string, into: string): readonly UnpackedFile[] {
  execFileSync("tar", ["-xzf", archive, "-C", into]);
  const [folder = ""] = readdirSync(into);
  const root = join(into, folder);
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return { name: relative(root, path), mode: statSync(path).mode & 0o777, bytes: readFileSync(path) };
    });
}
