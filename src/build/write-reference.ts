/**
 * `npm run docs`: rewrites the generated tables of the rooms' pages.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commands } from "../cli/commands.ts";
import { commands as operators } from "../ctl/commands.ts";
import { referencePages, withTables } from "./reference-tables.ts";

const root = join(import.meta.dirname, "../..");

for (const page of referencePages(commands, operators)) {
  const path = join(root, page.path);
  writeFileSync(path, withTables(readFileSync(path, "utf8"), page));
}
