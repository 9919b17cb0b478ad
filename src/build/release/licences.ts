/**
 * The licences of what the release contains beside outrider's own code.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One text with the licence of every package that `inputs` come from. */
export function licences(root: string, inputs: readonly string[]): string {
  const packages = new Set(
    inputs.flatMap((input) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0] ?? []),
  );
  return [...packages]
    .toSorted()
    .map((folder) => describe(join(root, folder)))
    .join(`\n${"-".repeat(80)}\n\n`);
}

function describe(folder: string): string {
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
  const texts = readdirSync(folder)
    .filter((name) => /^(licen[cs]e|notice|copying)\b/i.test(name))
    .map((name) => readFileSync(join(folder, name), "utf8").trim());
  return `${[`${manifest.name} ${manifest.version} (${manifest.license})`, ...texts].join("\n\n")}\n`;
}

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}
