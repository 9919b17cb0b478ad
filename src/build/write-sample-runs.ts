/** `npm run wasm`: makes the module of `sample-runs.wat`, which is committed, as the release has no assembler. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import wabt from "wabt";

const folder = join(import.meta.dirname, "../scrape/merge");

/** Text of `sample-runs-module.ts`. */
export async function sampleRunsText(): Promise<string> {
  const tools = await wabt();
  const module = tools.parseWat("sample-runs.wat", readFileSync(join(folder, "sample-runs.wat"), "utf8"), {
    simd: true,
  });
  try {
    module.validate();
    const base64 = Buffer.from(module.toBinary({}).buffer).toString("base64");
    const lines = base64.match(/.{1,100}/g) ?? [];
    return [
      "/** The module of `sample-runs.wat`, which `npm run wasm` writes here. */",
      "export const sampleRunsModule: string =",
      `${lines.map((line) => `  "${line}"`).join(" +\n")};`,
      "",
    ].join("\n");
  } finally {
    module.destroy();
  }
}

if (import.meta.main) writeFileSync(join(folder, "sample-runs-module.ts"), await sampleRunsText());
