import assert from "node:assert/strict";
import { test } from "node:test";
import { launcher } from "../../../../src/build/release/launcher.ts";

// e_machine of the ELF header.
for (const [arch, machine] of [
  ["x64", 62],
  ["arm64", 183],
] as const) {
  test(`the launcher for ${arch} is a static program of that processor with the release's table`, () => {
    const program = launcher(arch, "outrider");
    assert.equal(program.readUInt16LE(18), machine);
    assert.equal(program.includes("@outrider-launcher-table@"), false);
    assert.ok(program.includes("/lib/outrider.cjs\0--max-semi-space-size=1\0"));
    assert.ok(program.includes("\0\0MALLOC_ARENA_MAX=1\0"));
    assert.ok(program.includes("\0\0NODE_OPTIONS\0"));
    // Program headers of the types PT_DYNAMIC and PT_INTERP would ask for a library.
    const [offset, size, count] = [
      Number(program.readBigUInt64LE(32)),
      program.readUInt16LE(54),
      program.readUInt16LE(56),
    ];
    const types = Array.from({ length: count }, (_, index) => program.readUInt32LE(offset + index * size));
    assert.deepEqual(
      types.filter((type) => type === 2 || type === 3),
      [],
    );
  });
}

test("there is none for a processor that there is no release for", () => {
  assert.throws(() => launcher("mips", "outrider"), /ENOENT/);
});
