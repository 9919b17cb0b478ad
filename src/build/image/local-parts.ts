/**
 * What the Dockerfile builds from where no registry is reached: a Debian from its packages, and the Envoy that is here.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { Buildah } from "./buildah.ts";
import type { Program } from "./programs.ts";

const suite = "bookworm";

/** As the Dockerfile installs them where they are missing. */
const packages = ["ca-certificates", "iproute2", "iptables", "libstdc++6", "nftables"];

/** Names of images in the local store. */
export interface LocalParts {
  readonly base: string;
  readonly envoy: string;
}

/** What to take, and from where. */
export interface PartOptions {
  readonly cacheFolder: string;
  readonly envoyBinary: string;
  /** Images to take as they are: nothing is made in their place. */
  readonly base?: string | undefined;
  readonly envoy?: string | undefined;
}

/** What the machine must have for it: a Debian that is kept, or another base, is not made. */
export function programsToMakeImage({
  cacheFolder,
  base,
}: Pick<PartOptions, "cacheFolder" | "base">): readonly Program[] {
  const makesDebian = base === undefined && !existsSync(archiveIn(cacheFolder));
  return makesDebian ? ["mmdebstrap", "buildah"] : ["buildah"];
}

const archiveIn = (folder: string): string => join(folder, `${suite}.tar`);

/** Make what is missing. The base is kept in `cacheFolder` until its file is removed: then a newer Debian is taken. */
export function makeLocalParts(
  buildah: Buildah,
  { cacheFolder, envoyBinary, base, envoy }: PartOptions,
): LocalParts {
  return { base: base ?? makeBase(buildah, cacheFolder), envoy: envoy ?? makeEnvoy(buildah, envoyBinary) };
}

function makeBase(buildah: Buildah, folder: string): string {
  const name = `localhost/outrider-base:${suite}`;
  if (hasImage(buildah, name)) return name;
  const archive = archiveIn(folder);
  if (!existsSync(archive)) {
    const arguments_ = ["--variant=essential", `--include=${packages.join(",")}`, "--format=tar"];
    execFileSync("mmdebstrap", [...arguments_, suite, `${archive}.part`], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    renameSync(`${archive}.part`, archive);
  }
  return commit(buildah, name, (container) => {
    buildah("add", container, archive, "/");
  });
}

function makeEnvoy(buildah: Buildah, binary: string): string {
  const hash = createHash("sha256").update(readFileSync(binary)).digest("hex").slice(0, 16);
  const name = `localhost/outrider-envoy:${hash}`;
  if (hasImage(buildah, name)) return name;
  return commit(buildah, name, (container) => {
    buildah("copy", "--chmod", "755", container, binary, "/usr/local/bin/envoy");
  });
}

function hasImage(buildah: Buildah, name: string): boolean {
  const names = buildah("images", "--format", "{{.Name}}:{{.Tag}}").split("\n");
  return names.includes(name);
}

function commit(buildah: Buildah, name: string, fill: (container: string) => void): string {
  const container = buildah("from", "scratch");
  try {
    fill(container);
    buildah("commit", "--quiet", container, name);
  } finally {
    buildah("rm", container);
  }
  return name;
}
