/** buildah(1) with a store of its own, so that what it makes is in nobody's way. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Runs buildah with these words; gives what it prints, without the space around it. @throws Error with its output */
export type Buildah = (...args: readonly string[]) => string;

/** @param folder where its images are kept; @returns what runs it and gives what it prints. It throws with its output. */
export function buildahIn(folder: string): Buildah {
  const store = ["--root", join(folder, "store"), "--runroot", join(folder, "run")];
  return (...args) =>
    execFileSync("buildah", [...store, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
      maxBuffer: 2 ** 26,
      // Without a registry there is nothing to look short names up in, and no daemon of systemd to ask for a cgroup.
      env: { ...process.env, BUILDAH_ISOLATION: "chroot" },
    }).trim();
}
