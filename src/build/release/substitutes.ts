/**
 * Modules that libraries load and outrider hardly uses, or not at all: the release has something smaller.
 *
 * Each costs every agent memory and time at its start. Whoever comes to need one that is left out gets an error
 * that names this file.
 */
import type { Plugin } from "esbuild";

interface Substitute {
  /** What is imported, as it is written there. */
  readonly imports: RegExp;
  /** Folder of the package that imports it. */
  readonly by: string;
  /** Source of what it gets; left out, a function that throws. */
  readonly contents?: string;
}

const substitutes: readonly Substitute[] = [
  // node:cluster, node:perf_hooks and an HTTP client: 9 MiB of resident memory.
  { imports: /^\.\/lib\/(cluster|pushgateway|defaultMetrics)$/, by: "prom-client" },
  // Reads .proto files for channelz and ORCA, which nobody asks for.
  { imports: /^@grpc\/proto-loader$/, by: "@grpc/grpc-js" },
  // Loads ICU's tables to measure emoji, 30 ms at each start; no help text has any.
  {
    imports: /^string-width$/,
    by: "(yargs|cliui|wrap-ansi)",
    contents: "export default (text) => text.length;",
  },
  // 6 ms for two comparisons.
  {
    imports: /^assert$/,
    by: "yargs",
    contents: `
      const check = (holds, message) => { if (!holds) throw new Error(message); };
      export const strictEqual = (a, b, message) => check(Object.is(a, b), message);
      export const notStrictEqual = (a, b, message) => check(!Object.is(a, b), message);`,
  },
];

/** The plugin that puts each in its place. */
export const substituteModules: Plugin = {
  name: "substitute-modules",
  setup(build) {
    for (const { imports, by, contents } of substitutes) {
      const importer = new RegExp(`/node_modules/${by}/(?!.*node_modules)`);
      build.onResolve({ filter: imports }, (found) =>
        importer.test(found.importer)
          ? { path: found.path, namespace: "substitute", pluginData: contents ?? leftOut(found.path) }
          : undefined,
      );
    }
    build.onLoad({ filter: /./, namespace: "substitute" }, ({ pluginData }) => ({
      contents: String(pluginData),
    }));
  },
};

function leftOut(path: string): string {
  const message = `${path} is not part of the release: see src/build/release/substitutes.ts`;
  return `module.exports = () => { throw new Error(${JSON.stringify(message)}); };`;
}
