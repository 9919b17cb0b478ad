/**
 * `bin/outrider` and `bin/outriderctl`: a small static program that becomes the release's Node.js.
 *
 * A shell would lose variables whose names it cannot have, and a second Node.js would take fifty milliseconds. The
 * program is kept as it was built (`launcher/make.sh`), with a table for what depends on the release.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { addedVariables, hiddenVariables } from "../../process/own-environment.ts";
import { nodeFlags } from "./node-flags.ts";

const folder = join(import.meta.dirname, "launcher");

/** Marks the table; see `launcher.c`. */
const marker = "@outrider-launcher-table@";

const tableBytes = 2_048;

/**
 * The program for a processor.
 *
 * @param arch as `process.arch` has it
 * @param name of the script in `lib`
 * @throws Error when there is none for the processor
 */
export function launcher(arch: string, name: string): Buffer {
  const program = readFileSync(join(folder, `launcher-${arch}`));
  const at = program.indexOf(marker);
  if (at < 0) throw new Error(`launcher-${arch} has no table`);
  const added = addedVariables.map(([name, value]) => `${name}=${value}`);
  const lists = [nodeFlags, added, hiddenVariables].map(encodeList);
  const table = Buffer.from(`/lib/${name}.cjs\0${lists.join("")}`, "latin1");
  if (table.length > tableBytes)
    throw new Error(`the launcher's table has no room for ${table.length} bytes`);
  program.fill(0, at, at + tableBytes);
  table.copy(program, at);
  return program;
}

/** Each string ends with a zero byte, and the list with one more. */
function encodeList(strings: readonly string[]): string {
  return `${strings.map((text) => `${text}\0`).join("")}\0`;
}
