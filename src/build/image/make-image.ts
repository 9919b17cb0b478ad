/** The image, as an OCI layout. */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { version } from "../../command/version.ts";
import { sourceDate, sourceRevision } from "../source-date.ts";
import { buildahIn } from "./buildah.ts";
import { makeLocalParts } from "./local-parts.ts";

/** What to make, and from what. */
export interface ImageOptions {
  /** The repository, with the release in `dist`. */
  readonly root: string;
  /** For images that are built from, and the builder's own; kept from one build to the next. */
  readonly cacheFolder: string;
  /** The OCI layout to make; one that exists is replaced. */
  readonly folder: string;
  readonly envoyBinary: string;
  /** Another BASE than a Debian from its packages. */
  readonly base?: string | undefined;
  /** Another ENVOY than that of this machine. */
  readonly envoy?: string | undefined;
}

/** What was made. */
export interface Image {
  readonly digest: string;
  /** Compressed, in bytes, in the order of the Dockerfile: root, Envoy, release. */
  readonly layers: readonly number[];
}

/** The tag in the layout. */
export const imageTag = "outrider";

/** Make it. @throws Error when a step of it fails */
export function makeImage(options: ImageOptions): Image {
  const { root, cacheFolder, folder } = options;
  mkdirSync(cacheFolder, { recursive: true });
  const buildah = buildahIn(cacheFolder);
  const local = makeLocalParts(buildah, options);
  const date = String(sourceDate(root));
  const args = {
    BASE: local.base,
    ENVOY: local.envoy,
    SOURCE_DATE_EPOCH: date,
    VERSION: version,
    REVISION: sourceRevision(root),
  };
  // The history would name images of the builder's own store, which are others in each.
  const image = buildah(
    ...[
      "build",
      "--quiet",
      "--layers",
      "--no-cache",
      "--omit-history",
      "--format",
      "oci",
      "--timestamp",
      date,
    ],
    ...["--ignorefile", join(root, "docker/Dockerfile.dockerignore")],
    ...Object.entries(args).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    ...["--file", join(root, "docker/Dockerfile"), root],
  );
  rmSync(folder, { recursive: true, force: true });
  buildah("push", "--quiet", image, `oci:${folder}:${imageTag}`);
  return describe(folder);
}

interface Descriptor {
  readonly digest: string;
  readonly size: number;
}

/** Read the layout's one image. */
export function describe(folder: string): Image {
  const { manifests } = JSON.parse(readFileSync(join(folder, "index.json"), "utf8")) as {
    readonly manifests: readonly Descriptor[];
  };
  const [{ digest } = { digest: "" }] = manifests;
  const manifest = JSON.parse(readFileSync(join(folder, "blobs", digest.replace(":", "/")), "utf8")) as {
    readonly layers: readonly Descriptor[];
  };
  return { digest, layers: manifest.layers.map(({ size }) => size) };
}
