import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { WasmFetchError } from "../../../src/wasm/fetch-error.ts";
import { unpackModule } from "../../../src/wasm/unpack/unpack.ts";
import { mutate, seeded } from "../../support/mutate.ts";
import { tarOf } from "../../support/oci-registry.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { wasmModule } from "../../support/wasm-config.ts";

const module = wasmModule("packed");
const maxModuleBytes = 1_000_000;

/** What is unpacked, or why nothing is; fails when it takes long. */
async function unpacked(content: Buffer, isLayer = false): Promise<Buffer | string> {
  using folder = temporaryFolder();
  const path = join(folder.path, "1");
  writeFileSync(path, content);
  const signal = AbortSignal.timeout(20_000);
  try {
    return readFileSync(await unpackModule(path, { maxModuleBytes, isLayer, signal }));
  } catch (error) {
    assert.ok(error instanceof WasmFetchError, String(error));
    assert.ok(!signal.aborted, "it hangs");
    return error.message;
  }
}

/** A header of tar for an entry of which nothing else is there. */
function header(name: string, type: string, size: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write("0000644", 100);
  block.write(size.toString(8).padStart(11, "0"), 124);
  block.write("00000000000", 136);
  block.write("        ", 148);
  block.write(type, 156);
  block.write("ustar\0", 257);
  block.write("00", 263);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

function padded(content: Buffer): Buffer {
  return Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

describe("what was downloaded", () => {
  test("is unpacked as often as it is packed, up to three times", async () => {
    const tar = await tarOf({ "a/b.txt": Buffer.from("x"), "a/filter.wasm": module });
    for (const content of [module, gzipSync(module), tar, gzipSync(tar), gzipSync(gzipSync(tar))])
      assert.deepEqual(await unpacked(content), module);
    assert.match(
      String(await unpacked(gzipSync(gzipSync(gzipSync(gzipSync(module)))))),
      /packed more than three/,
    );
  });

  test("in an image has to be called plugin.wasm, elsewhere it is the first that could be it", async () => {
    const tar = await tarOf({ "x/other.wasm": wasmModule("other"), "x/plugin.wasm": module });
    assert.deepEqual(await unpacked(tar, true), module);
    assert.deepEqual(await unpacked(tar), module);
    assert.match(String(await unpacked(await tarOf({ "x.wasm": module }), true)), /no plugin\.wasm/);
    assert.deepEqual(await unpacked(await tarOf({ module }), false), module);
  });

  test("has a limit for names and attributes, entries, files and the whole", async () => {
    const long = padded(Buffer.from("x".repeat(5_000_000)));
    for (const type of ["L", "x", "g"]) {
      const tar = Buffer.concat([header("long", type, 5_000_000), long, header("plugin.wasm", "0", 0)]);
      assert.match(String(await unpacked(tar)), /names and attributes in it are longer/, type);
    }
    const many = Buffer.concat(Array.from({ length: 10_001 }, (_, index) => header(`f${index}`, "0", 0)));
    assert.match(String(await unpacked(many)), /more than 10000 entries/);
    assert.match(String(await unpacked(header("plugin.wasm", "0", 2_000_000))), /larger than 1000000 bytes/);
    assert.match(String(await unpacked(gzipSync(Buffer.alloc(8_000_000)))), /larger than \d+ bytes/);
  });

  test("that claims sizes which are none gives nothing, and soon", async () => {
    for (const size of ["-5", "NaN", "1e3", "9007199254740993", "0"]) {
      const record = `${String(`0 size=${size}\n`.length + 1)} size=${size}\n`;
      const attributes = Buffer.from(record);
      const tar = Buffer.concat([
        header("pax", "x", attributes.length),
        padded(attributes),
        header("plugin.wasm", "0", module.length),
        padded(module),
        Buffer.alloc(1_024),
      ]);
      const got = await unpacked(tar);
      if (typeof got !== "string") assert.deepEqual(got, module);
    }
  });

  test("and was damaged gives the module or an error, never anything else", async () => {
    const random = seeded(7);
    const tar = await tarOf({ "a/b.txt": Buffer.from("x".repeat(20_000)), "plugin.wasm": module });
    const sources = [tar, gzipSync(tar), gzipSync(module), tar.subarray(0, 1_000)];
    let modules = 0;
    for (let round = 0; round < 400; round += 1) {
      const got = await unpacked(mutate(sources[round % sources.length] ?? tar, random), round % 2 === 0);
      if (typeof got === "string") continue;
      modules += 1;
      assert.equal(got.subarray(0, 4).toString(), "\0asm");
    }
    assert.ok(modules > 5, `${modules} of the damaged ones were still modules`);
  });
});
