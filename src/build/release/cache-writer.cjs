"use strict";
/*
 * Writes V8's code cache beside every part in a folder, its argument, with all functions compiled: what is compiled is then a
 * matter of the text alone, and two builds give the same bytes. Those that a run happens to call are less, but no run is
 * like the other.
 */
const { readdirSync, readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const v8 = require("node:v8");
const { Script } = require("node:vm");

const folder = process.argv[2] ?? ".";

v8.setFlagsFromString("--no-flush-bytecode");
v8.setFlagsFromString("--no-lazy");
const scripts = readdirSync(folder)
  .filter((name) => name.endsWith(".js"))
  .toSorted()
  // The cache has the name in it, so it is not that of this machine's folder.
  .map((name) => [name, new Script(readFileSync(join(folder, name), "latin1"), { filename: name })]);

// The cache carries a hash of V8's flags, so they must be the release's again.
v8.setFlagsFromString("--lazy");
v8.setFlagsFromString("--flush-bytecode");
v8.setFlagsFromString("--hash-seed=0");
for (const [name, script] of scripts) writeFileSync(join(folder, `${name}.cache`), script.createCachedData());
