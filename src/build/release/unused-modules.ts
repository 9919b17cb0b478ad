/**
 * Modules that libraries load and outrider never uses, left out of the release.
 *
 * An entry costs a line here and saves memory in every agent; a part that needs one of them gets an error that
 * names this file.
 */
import type { Plugin } from "esbuild";

/** Per library: what its own files import, and must not get. */
const unused: Readonly<Record<string, RegExp>> = {
  // Pulls in node:cluster, node:perf_hooks and an HTTP client: 9 MiB of resident memory.
  "prom-client": /^\.\/lib\/(cluster|pushgateway|defaultMetrics)$/,
  // Reads .proto files for channelz and ORCA, which nobody asks for.
  "@grpc/grpc-js": /^@grpc\/proto-loader$/,
};

/** Puts a function that throws in the place of each. */
export const leaveOutUnusedModules: Plugin = {
  name: "leave-out-unused-modules",
  setup(build) {
    build.onResolve({ filter: /./ }, ({ path, importer }) => {
      const isUnused = Object.entries(unused).some(
        ([library, imports]) => importer.includes(`/node_modules/${library}/`) && imports.test(path),
      );
      return isUnused ? { path, namespace: "unused" } : undefined;
    });
    build.onLoad({ filter: /./, namespace: "unused" }, ({ path }) => ({
      contents:
        "module.exports = () => { throw new Error(" +
        JSON.stringify(`${path} is not part of the release bundle: see src/build/release/unused-modules.ts`) +
        "); };",
    }));
  },
};
