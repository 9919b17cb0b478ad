"use strict";
/*
 * Preloaded into training runs: on exit, writes V8's code cache of every part that was loaded, with the functions
 * that were called in it, to `records/<command>/` beside this file; and at the start of the first child, which is an
 * agent's Envoy, the names of the parts so far, to `start` in the same folder.
 */
const { ChildProcess } = require("node:child_process");
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

const folder = join(__dirname, "records", process.argv[2] ?? "none");
mkdirSync(folder, { recursive: true });

function record(name, content) {
  const path = join(folder, name);
  writeFileSync(`${path}.${process.pid}`, content);
  renameSync(`${path}.${process.pid}`, path);
}

const { spawn } = ChildProcess.prototype;
ChildProcess.prototype.spawn = function recordedSpawn(options) {
  ChildProcess.prototype.spawn = spawn;
  record("start", [...scripts.keys()].join("\n"));
  return spawn.call(this, options);
};

process.on("exit", () => {
  // The cache carries a hash of V8's flags, so they must be the release's again.
  v8.setFlagsFromString("--flush-bytecode");
  v8.setFlagsFromString("--hash-seed=0");
  for (const [name, script] of scripts) record(`${name}.cache`, script.createCachedData());
});
