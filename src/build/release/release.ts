/**
 * The release: a folder with everything that outrider needs to run, for this machine's processor.
 *
 *     bin/                  start its programs, outrider and outriderctl
 *     lib/node              the pinned Node.js
 *     lib/node_modules/     packages with machine code
 *     lib/outrider.cjs      loads the parts, lib/*.js, with their code caches, lib/*.js.cache; so does lib/outriderctl.cjs
 *     lib/proxy.start.js    those of an agent's start, as one
 *     bootstrap-templates/  as YAML to read and as JSON to run
 *     docker/kubernetes/    the manifests that `outriderctl install` is made of
 *     licences/
 *     sbom.spdx.json        what is in it
 *     share/man/man1/       manual pages
 *     commit                that it was made from, where git says
 */
import {
  chmodSync,
  constants,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { commandGroups, commands } from "../../cli/commands.ts";
import { commitFile, commitOfRepository } from "../../cli/commit.ts";
import { programOf } from "../../cli/program.ts";
import { outriderctl } from "../../ctl/program.ts";
import { launcher } from "./launcher.ts";
import { version } from "../../command/version.ts";
import { licences, type PackageFolder, packagesOf } from "./licences.ts";
import { manPages } from "./man-pages.ts";
import { copyNativePackage } from "./native-packages.ts";
import { flagWords } from "./node-flags.ts";
import { bundleParts } from "./parts.ts";
import { type Component, spdxDocument } from "./sbom.ts";
import { writeCodeCaches } from "./train.ts";

/** What to make, and from what. */
export interface ReleaseOptions {
  /** The repository. */
  readonly root: string;
  /** The folder to make; one that exists is replaced. */
  readonly folder: string;
  /** Envoy for the run that the code cache comes from. */
  readonly envoyBinary: string;
  /** The date that what is made says, in seconds since the epoch. */
  readonly sourceDate: number;
}

/** Make it. @throws Error when it does not bundle, or does not run */
export async function buildRelease(options: ReleaseOptions): Promise<void> {
  const { root, folder } = options;
  const lib = join(folder, "lib");
  rmSync(folder, { recursive: true, force: true });
  for (const name of ["bin", "lib", "licences"]) mkdirSync(join(folder, name), { recursive: true });

  const modules = join(root, "node_modules");
  const programs = { outrider: join(root, "src/main.ts"), outriderctl: join(root, "src/outriderctl.ts") };
  const { files, inputs, nativePackages } = await bundleParts(programs, modules);
  const flags = JSON.stringify(
    Object.fromEntries(
      (["usual", "starting", "resting", "loaded"] as const).map((when) => [when, flagWords(when)]),
    ),
  );
  const loader = readFileSync(join(import.meta.dirname, "loader.cjs"), "utf8").replace(
    "= FLAGS",
    `= ${flags}`,
  );
  for (const [name, text] of files) writeFileSync(join(lib, name), text, "latin1");
  for (const name of Object.keys(programs)) {
    writeFileSync(join(lib, `${name}.cjs`), loader);
    writeFileSync(join(folder, "bin", name), launcher(process.arch, name));
  }
  cpSync(join(root, "bootstrap-templates"), join(folder, "bootstrap-templates"), { recursive: true });
  writeTemplatesAsJson(join(folder, "bootstrap-templates"));
  cpSync(join(root, "docker/kubernetes"), join(folder, "docker/kubernetes"), { recursive: true });

  for (const name of nativePackages) copyNativePackage(modules, name, join(lib, "node_modules"));

  const node = join(modules, `node-linux-${process.arch}`);
  copyFileSync(join(node, "bin/node"), join(lib, "node"), constants.COPYFILE_FICLONE);
  copyFileSync(join(node, "LICENSE"), join(folder, "licences/node"));
  copyFileSync(join(root, "LICENSE"), join(folder, "licences/outrider"));
  const packages = packagesOf(root, [
    ...inputs,
    ...[...nativePackages].map((name) => `node_modules/${name}/index.js`),
  ]);
  writeFileSync(join(folder, "licences/packages"), licences(packages));
  const bill = { subject: itself, components: [pinnedNode(), ...packages.map(describePackage)] };
  writeFileSync(join(folder, "sbom.spdx.json"), spdxDocument({ ...bill, createdAt: options.sourceDate }));

  const commit = await commitOfRepository(root);
  if (commit !== undefined) writeFileSync(join(folder, commitFile), `${commit}\n`);
  const manual = join(folder, "share/man/man1");
  mkdirSync(manual, { recursive: true });
  for (const program of [programOf(commands, commandGroups), outriderctl]) {
    for (const [name, page] of manPages(program, new Date(options.sourceDate * 1_000)))
      writeFileSync(join(manual, name), page);
  }

  await writeCodeCaches(lib, options.envoyBinary);
  makeReadable(folder);
}

const itself: Component = {
  name: "outrider",
  version,
  licence: "Apache-2.0",
  purl: `pkg:npm/outrider@${version}`,
};

/** The Node.js that runs this, which is the pinned one. */
function pinnedNode(): Component {
  return {
    name: "node",
    version: process.versions.node,
    licence: "MIT",
    purl: `pkg:github/nodejs/node@${process.version}`,
    url: `https://nodejs.org/dist/${process.version}/`,
  };
}

function describePackage({ manifest: { name, version, license } }: PackageFolder): Component {
  return {
    ...{ name, version, licence: license },
    purl: `pkg:npm/${name.replace(/^@/, "%40")}@${version}`,
    url: `https://registry.npmjs.org/${name}/-/${name.replace(/^.*\//, "")}-${version}.tgz`,
  };
}

/** To read the YAML takes 40 ms of an agent's start, to read the same as JSON none. */
function writeTemplatesAsJson(folder: string): void {
  for (const name of readdirSync(folder)) {
    const template: unknown = parse(readFileSync(join(folder, name), "utf8"));
    writeFileSync(join(folder, name.replace(/yaml$/, "json")), JSON.stringify(template));
  }
}

/** Whoever built it with whatever umask, every user may run it. */
function makeReadable(folder: string): void {
  const executable = new Set(
    ["bin/outrider", "bin/outriderctl", "lib/node"].map((path) => join(folder, path)),
  );
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    chmodSync(path, entry.isDirectory() || executable.has(path) ? 0o755 : 0o644);
  }
}
