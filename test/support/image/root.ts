/** The image's files as a folder: of the image that was built, or put together from this machine's Debian. */
import { execFileSync } from "node:child_process";
import { chmodSync, constants, copyFileSync, cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { imageTag } from "../../../src/build/image/make-image.ts";
import { missingPrograms, type Program } from "../../../src/build/image/programs.ts";

const repository = join(import.meta.dirname, "../../..");

/** What the machine must have to unpack the image and to run pods of it. */
export const programsToRunImage: readonly Program[] = ["runc", "umoci", "ip"];

/** Unpack `dist-image` into a folder of `folder`; the path of the root. */
export function unpackImage(folder: string): string {
  const obstacle = missingPrograms(programsToRunImage, process.env["PATH"], "a pod of the image");
  if (obstacle !== undefined) throw new Error(obstacle);
  const layout = join(repository, "dist-image");
  if (!existsSync(layout)) throw new Error("there is no image: run `npm run image` first");
  execFileSync("umoci", ["unpack", "--image", `${layout}:${imageTag}`, join(folder, "unpacked")], {
    stdio: "pipe",
  });
  return join(folder, "unpacked/rootfs");
}

/** As the Dockerfile does it, without a builder; the path of the root. */
export function assembleRoot(folder: string, release: string, envoy: string): string {
  const root = join(folder, "root");
  execFileSync(
    process.execPath,
    [join(repository, "src/build/image/collect-root.ts"), release, envoy, root],
    { stdio: "pipe" },
  );
  const binary = join(root, "usr/local/bin/envoy");
  copyFileSync(envoy, binary, constants.COPYFILE_FICLONE);
  chmodSync(binary, 0o755);
  cpSync(release, join(root, "opt/outrider"), { recursive: true });
  return root;
}
