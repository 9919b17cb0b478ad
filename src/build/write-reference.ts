/**
 * Rewrites the generated tables of README.md.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commands } from "../cli/commands.ts";
import { withReferenceTables } from "./reference-tables.ts";

const path = join(import.meta.dirname, "../../README.md");
writeFileSync(path, withReferenceTables(readFileSync(path, "utf8"), commands));
