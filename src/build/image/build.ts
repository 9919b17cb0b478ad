/**
 * `npm run image`: the image in `dist-image/`, an OCI layout, from `dist/`.
 *
 * IMAGE_BASE and IMAGE_ENVOY name other images to build from, such as those of the Dockerfile. Without them nothing is
 * needed but Debian's packages.
 */
import { join } from "node:path";
import { ensureEnvoy } from "../../envoy/binary/ensure.ts";
import { envoyCacheFolder } from "../../envoy/binary/locate.ts";
import { makeImage } from "./make-image.ts";

const root = join(import.meta.dirname, "../../..");

const envoyBinary = await ensureEnvoy(
  { binaryPath: undefined, envoyPath: process.env["ENVOY_PATH"], env: process.env },
  () => undefined,
);
const { digest, layers } = makeImage({
  root,
  cacheFolder: join(envoyCacheFolder(process.env), "../image"),
  folder: join(root, "dist-image"),
  envoyBinary,
  base: process.env["IMAGE_BASE"],
  envoy: process.env["IMAGE_ENVOY"],
});
const [system = 0, envoy = 0, release = 0] = layers.map((bytes) => (bytes / 2 ** 20).toFixed(1));
console.log(`dist-image: ${digest}`);
console.log(
  `compressed: Debian's part ${system} MiB, Envoy ${envoy} MiB, outrider with Node.js ${release} MiB`,
);
