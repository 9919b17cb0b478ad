/** The release of the sources in `dist/`, which `npm pack ./dist` makes a package of. */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureEnvoy } from "../../envoy/binary/ensure.ts";
import { sourceDate } from "../source-date.ts";
import { type OwnManifest, packageManifest } from "./package-manifest.ts";
import { buildRelease } from "./release.ts";

/**
 * Make it, with an Envoy to train it with, and say on standard output how large it is.
 *
 * @param root the repository
 * @returns Envoy's path
 */
export async function makeDist(
  root: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const folder = join(root, "dist");
  const envoyBinary = await ensureEnvoy(
    { binaryPath: undefined, envoyPath: env["ENVOY_PATH"], env },
    ({ receivedBytes, totalBytes }) => {
      console.error(`fetching Envoy: ${receivedBytes} of ${totalBytes} bytes`);
    },
  );
  await buildRelease({ root, folder, envoyBinary, sourceDate: sourceDate(root) });
  const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as OwnManifest;
  writeFileSync(join(folder, "package.json"), packageManifest(own, process.arch));

  const sizes = readdirSync(join(folder, "lib"))
    .filter((name) => name !== "node")
    .map((name) => statSync(join(folder, "lib", name)).size);
  const kilobytes = Math.round(sizes.reduce((sum, size) => sum + size, 0) / 1_000);
  console.log(`dist: ${sizes.length} files of ${kilobytes} kB, and Node.js ${process.version}`);
  return envoyBinary;
}
