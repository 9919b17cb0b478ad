"use strict";
/*
 * Preloaded into training runs: on exit, writes V8's code cache of every part that was loaded, with the functions
 * that were called in it, to `records/<command>/` beside this file.
 */
const { mkdirSync, renameSync, writeFileSync } = require("node:fs");
const { basename, join } = require("node:path");
const v8 = require("node:v8");
const vm = require("node:vm");

// V8 forgets the code of functions that were called once, at start: just those that the cache is for.
v8.setFlagsFromString("--no-flush-bytecode");

const scripts = new Map();

vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options);
    scripts.set(basename(options.filename), this);
  }
};

process.on("exit", () => {
  // The cache carries a hash of V8's flags, so they must be the release's again.
  v8.setFlagsFromString("--flush-bytecode");
  const folder = join(__dirname, "records", process.argv[2] ?? "none");
  mkdirSync(folder, { recursive: true });
  for (const [name, script] of scripts) {
    const path = join(folder, `${name}.cache`);
    writeFileSync(`${path}.${process.pid}`, script.createCachedData());
    renameSync(`${path}.${process.pid}`, path);
  }
});
