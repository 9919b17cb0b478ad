/**
 * The sources as parts: files that are loaded when the program first imports them.
 *
 * esbuild splits along dynamic imports only for ES modules, and V8's code cache is open only to scripts. So the
 * sources become ES modules first, and each of those a script that `loader.cjs` calls with its own `require`.
 */
import { basename, join } from "node:path";
import { build, type BuildOptions, transform, type TransformOptions } from "esbuild";
import { leaveOutNativePackages } from "./native-packages.ts";
import { substituteModules } from "./substitutes.ts";

/** The program in parts. */
export interface Parts {
  /** Source of each part by file name; a program begins in the one of its name, such as `outrider.js`. */
  readonly files: ReadonlyMap<string, string>;
  /** Paths of every source file in them, relative to the working directory. */
  readonly inputs: readonly string[];
  /** Packages that they require at run time. */
  readonly nativePackages: ReadonlySet<string>;
}

// Names are kept: a stack trace from production is worth more than the few kilobytes.
const common = {
  platform: "node",
  target: "node24",
  minifyWhitespace: true,
  legalComments: "none",
} as const satisfies BuildOptions & TransformOptions;

/**
 * Packages for what a start seldom meets, such as a configuration in YAML: loaded when first used. Each with its entry
 * as ES modules: one of CommonJS would run as soon as it is imported.
 */
const loadedWhenUsed: Readonly<Record<string, string>> = {
  yaml: "yaml/browser/index.js",
  // For words that were mistyped: a table of 256 KiB.
  "fastest-levenshtein": "fastest-levenshtein/esm/mod.js",
};

/** Parameters of each part, as `loader.cjs` passes them. */
const parameters = "exports, require, module, __filename, __dirname, __moduleUrl";

/** Bundle programs, each by its name the path that it begins at; `modules` is the folder of the packages. */
export async function bundleParts(
  programs: Readonly<Record<string, string>>,
  modules: string,
): Promise<Parts> {
  const native = leaveOutNativePackages(modules);
  const bundle = await build({
    ...common,
    entryPoints: programs,
    bundle: true,
    format: "esm",
    splitting: true,
    outdir: "lib",
    write: false,
    metafile: true,
    alias: Object.fromEntries(
      Object.entries(loadedWhenUsed).map(([name, entry]) => [name, join(modules, entry)]),
    ),
    define: { "import.meta.dirname": "__dirname", "import.meta.url": "__moduleUrl" },
    plugins: [substituteModules, native.plugin],
  });
  const late = Object.entries(bundle.metafile.outputs).flatMap(([path, { inputs }]) =>
    isLate(Object.keys(inputs)) ? [basename(path)] : [],
  );
  const files = await Promise.all(
    bundle.outputFiles.map(async ({ path, text }) => {
      const script = await transform(text, {
        ...common,
        format: "cjs",
        supported: { "dynamic-import": false },
      });
      const code = late.reduce(
        (text, name) => text.replaceAll(`require("./${name}")`, `require("./${name}", true)`),
        script.code,
      );
      return [basename(path), `(function (${parameters}) {${code}})\n`] as const;
    }),
  );
  return {
    files: new Map(files),
    inputs: Object.keys(bundle.metafile.inputs),
    nativePackages: native.names,
  };
}

/** The part is such a package and nothing else. */
function isLate(inputs: readonly string[]): boolean {
  return Object.keys(loadedWhenUsed).some(
    (name) => inputs.length > 0 && inputs.every((path) => path.startsWith(`node_modules/${name}/`)),
  );
}
