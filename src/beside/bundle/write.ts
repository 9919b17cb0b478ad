/**
 * Where the archive goes: the file that was named, or the first folder that takes it.
 */
import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { errorCode, errorMessage } from "../../lifecycle/error-message.ts";
import { writeArchive } from "./archive.ts";
import type { BundleFile } from "./bundle.ts";

/** The path, or what to say in one line. */
export type Written =
  { readonly kind: "written"; readonly path: string } | { readonly kind: "failed"; readonly words: string };

/** Resolved before anything is looked at: looking may lead to another folder. */
export interface Destination {
  /** In the order in which they are tried. */
  readonly paths: readonly string[];
  readonly isNamed: boolean;
}

/**
 * Nothing comes into the working directory that was not asked for there.
 *
 * @param configPath the agent's own folder, the last resort: a sidecar often has no other that it may write to
 */
export function destinationOf(named: string | undefined, name: string, configPath: string): Destination {
  if (named !== undefined) return { paths: [named === "-" ? named : resolve(named)], isNamed: true };
  // Who can guess a name in a folder of everybody's can put a pipe of his own there.
  const file = `${name}-${randomBytes(6).toString("hex")}.tar.gz`;
  const folders = [tmpdir(), configPath].map((folder) => resolve(folder));
  return { paths: [...new Set(folders)].map((folder) => join(folder, file)), isNamed: false };
}

/** Never rejects for what is wrong with a disk, a path or a pipe. */
export async function writeTo(
  { paths, isNamed }: Destination,
  name: string,
  files: readonly BundleFile[],
  at: Date,
): Promise<Written> {
  const refusals: string[] = [];
  for (const path of paths) {
    try {
      await writeArchive(path, name, files, at);
      return { kind: "written", path };
    } catch (error) {
      refusals.push(
        `${path === "-" ? "standard output" : path}: ${errorMessage(error)}; ${remedyFor(error, path)}`,
      );
    }
  }
  const hint = isNamed ? "" : ". Name another file in --output, or - for standard output";
  return { kind: "failed", words: `the diagnosis cannot be written to ${refusals.join("; ")}${hint}` };
}

function remedyFor(error: unknown, path: string): string {
  const code = errorCode(error);
  if (path === "-") {
    const cause = code === "EPIPE" ? "whoever reads it has closed the pipe: " : "";
    return `${cause}name a file in --output instead`;
  }
  switch (code) {
    case "ENOSPC":
    case "EDQUOT":
      return "the disk is full: name a file on another one, or - to take it through a pipe";
    case "ENOENT":
    case "ENOTDIR":
    case "EISDIR":
      return "name a file in a folder that is there";
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return "name a file in a folder that this user may write to";
    default:
      return "name another file in --output";
  }
}
