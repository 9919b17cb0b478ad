/**
 * The licences of what the release contains beside outrider's own code.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One text with the licence of every package, by folder. */
export function licences(packages: readonly PackageFolder[]): string {
  return packages.map(describe).join(`\n${"-".repeat(80)}\n\n`);
}

/** The packages that `inputs` come from, paths relative to `root`, in a fixed order. */
export function packagesOf(root: string, inputs: readonly string[]): readonly PackageFolder[] {
  const folders = new Set(
    inputs.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0] ?? []),
  );
  return [...folders].toSorted().map((name) => {
    const folder = join(root, name);
    return {
      folder,
      manifest: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as PackageManifest,
    };
  });
}

function describe({ folder, manifest }: PackageFolder): string {
  const texts = readdirSync(folder)
    .filter((name) => /^(licen[cs]e|notice|copying)\b/i.test(name))
    .map((name) => readFileSync(join(folder, name), "utf8").trim());
  return `${[`${manifest.name} ${manifest.version} (${manifest.license})`, ...texts].join("\n\n")}\n`;
}

/** A package that is in the release. */
export interface PackageFolder {
  readonly folder: string;
  readonly manifest: PackageManifest;
}

interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}
