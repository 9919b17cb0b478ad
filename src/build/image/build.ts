/**
 * `npm run image`: the release in `dist/`, and the image of it in `dist-image/`, an OCI layout.
 *
 * IMAGE_BASE and IMAGE_ENVOY name other images to build from, such as those of the Dockerfile. Without them nothing is
 * needed but Debian's packages.
 */
import { join } from "node:path";
import { envoyCacheFolder } from "../../envoy/binary/locate.ts";
import { makeDist } from "../release/dist.ts";
import { programsToMakeImage } from "./local-parts.ts";
import { makeImage } from "./make-image.ts";
import { requirePrograms } from "./programs.ts";

const root = join(import.meta.dirname, "../../..");
const parts = {
  cacheFolder: join(envoyCacheFolder(process.env), "../image"),
  base: process.env["IMAGE_BASE"],
  envoy: process.env["IMAGE_ENVOY"],
};

requirePrograms(programsToMakeImage(parts), process.env["PATH"], "npm run image");
const envoyBinary = await makeDist(root, process.env);
const { digest, layers } = makeImage({ root, folder: join(root, "dist-image"), envoyBinary, ...parts });
const [system = 0, envoy = 0, release = 0] = layers.map((bytes) => (bytes / 2 ** 20).toFixed(1));
console.log(`dist-image: ${digest}`);
console.log(
  `compressed: Debian's part ${system} MiB, Envoy ${envoy} MiB, outrider with Node.js ${release} MiB`,
);
