/**
 * Packages with machine code, which cannot be bundled: the release has them as they are, in `lib/node_modules`.
 */
import { cpSync, existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "esbuild";

/** The plugin that leaves such packages out of the bundle, and the names of those that it met. */
export function leaveOutNativePackages(modules: string): { plugin: Plugin; names: ReadonlySet<string> } {
  const names = new Set<string>();
  const plugin: Plugin = {
    name: "leave-out-native-packages",
    setup(build) {
      build.onResolve({ filter: /^(@[^/]+\/)?[a-z][^/:]*$/ }, ({ path }) => {
        if (!existsSync(join(modules, path)) || nativeParts(modules, path).length === 0) return undefined;
        names.add(path);
        return { path, external: true };
      });
    },
  };
  return { plugin, names };
}

/** Copy a package and what it has for this machine; sources in C and documentation stay behind. */
export function copyNativePackage(modules: string, name: string, target: string): void {
  for (const part of new Set([name, ...nativeParts(modules, name)])) {
    for (const file of globSync("**/*.{js,cjs,mjs,json,node}", { cwd: join(modules, part) })) {
      // The pinned Node.js is for glibc.
      if (/musl/.test(file)) continue;
      cpSync(join(modules, part, file), join(target, part, file));
    }
  }
}

/** Of the package and its installed optional dependencies, those with machine code. */
function nativeParts(modules: string, name: string): readonly string[] {
  const manifest = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8")) as {
    readonly optionalDependencies?: Readonly<Record<string, string>>;
  };
  return [name, ...Object.keys(manifest.optionalDependencies ?? {})].filter(
    (part) => globSync("**/*.node", { cwd: join(modules, part) }).length > 0,
  );
}
