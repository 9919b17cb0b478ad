/** The environment is read through its tables and nowhere else, so that each variable has its row. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { describe, test } from "node:test";

const src = join(import.meta.dirname, "../../../src");

/** A variable by its name. A type of the table's is no raw environment, and has its variables as members. */
const rawRead = /\b(?:env|environment)(?:\.\w+)?(?:\?\.)?\[|\bprocess\.env\b|\{[^{}]*\}\s*=\s*(?:\w+\.)?env;/;

/** Who reads it all the same, and why. */
const readers: Readonly<Record<string, string>> = {
  "config/sources/environment.ts": "the table's reader",
  "config/sources/unread-variables.ts": "tells of what has no effect",
  "capture/options/given.ts": "the reader of traffic capture's own",
  "schema/own-variables.ts": "the reader of outrider's own",
  "schema/system-variables.ts": "the reader of the system's",
  "cli/env.ts": "prints what is set",
  "controlplane/networking/telemetry/tracing.ts": "a header whose value is a variable that MeshConfig names",
  "process/own-environment.ts": "hides what is Node.js' own",
  "config/decide/identity-source.ts": "what the table has read, by name",
  "config/decide/known-ports.ts": "what the table has read, by name",
  "config/decide/otlp.ts": "what the table has read, by name",
  "wasm/plugin.ts": "variables of a plugin",
  "controlplane/config/rules/extensions.ts": "variables of a plugin, a field of its kind",
  "demo/sidecar-process.ts": "hands on what a child needs",
  "run-program.ts": "where it comes in",
  "build/bundle.ts": "a program of its own",
  "build/image/build.ts": "a program of its own",
  "build/release/dist.ts": "what a program of its own was given",
  "build/image/buildah.ts": "hands on what a child needs",
  "build/image/collect-root.ts": "SOURCE_DATE_EPOCH, of a program of its own",
  "build/source-date.ts": "SOURCE_DATE_EPOCH, of a program of its own",
  "build/release/train.ts": "hands on what a child needs",
  "build/run-tests.ts": "a program of its own",
};

/** Paths below src with a line that reads a variable by itself. */
function rawReaders(files: readonly (readonly [path: string, text: string])[]): readonly string[] {
  return files
    .filter(([, text]) => text.split("\n").some((line) => rawRead.test(line)))
    .map(([path]) => path);
}

describe("the environment", () => {
  test("is read through its tables only", () => {
    const files = readdirSync(src, { recursive: true, encoding: "utf8" })
      .map((name) => name.split(sep).join("/"))
      .filter((name) => name.endsWith(".ts") && !name.startsWith("proto/"))
      .map((name) => [name, readFileSync(join(src, name), "utf8")] as const);
    assert.ok(files.length > 300, "the sources were not found");
    assert.deepEqual(rawReaders(files).toSorted(), Object.keys(readers).toSorted());
  });

  for (const line of [
    'const home = env["HOME"];',
    "const value = sources.env.all[name];",
    'const host = sources.env?.["GCE_METADATA_HOST"];',
    "const { HOME } = process.env;",
    "const { HOME } = context.env;",
  ]) {
    test(`a read of another kind is found: ${line}`, () => {
      assert.deepEqual(rawReaders([["identity/a.ts", line]]), ["identity/a.ts"]);
    });
  }
});
