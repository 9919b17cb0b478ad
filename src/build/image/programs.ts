/** What the machine must have to make the image, and to run it: asked for before anything is done. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The package of Debian that each is in. */
const packages = {
  buildah: "buildah",
  ip: "iproute2",
  mmdebstrap: "mmdebstrap",
  runc: "runc",
  umoci: "umoci",
} as const;

export type Program = keyof typeof packages;

/**
 * @param path as in PATH
 * @returns one line that names all of these that are missing, and what to install; undefined where none is
 */
export function missingPrograms(
  wanted: readonly Program[],
  path: string | undefined,
  what: string,
): string | undefined {
  const folders = (path ?? "").split(delimiter).filter((folder) => folder !== "");
  const missing = wanted.filter((name) => !folders.some((folder) => isExecutable(join(folder, name))));
  if (missing.length === 0) return undefined;
  const names = missing.map((name) => packages[name]).join(" ");
  return `${what} needs ${missing.join(", ")}, not found on PATH. On Debian: apt-get install ${names}`;
}

/** The same, as the end of a program of its own. */
export function requirePrograms(wanted: readonly Program[], path: string | undefined, what: string): void {
  const obstacle = missingPrograms(wanted, path, what);
  if (obstacle === undefined) return;
  console.error(obstacle);
  process.exit(1);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
