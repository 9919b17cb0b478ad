"use strict";
/*
 * Preloaded into a training run: at the start of the first child, which is an agent's Envoy, writes the names of the
 * parts that were loaded so far to `start-<command>` beside this file.
 */
const { ChildProcess } = require("node:child_process");
const { writeFileSync } = require("node:fs");
const { basename, join } = require("node:path");
const vm = require("node:vm");

const names = [];

vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options);
    names.push(basename(options.filename));
  }
};

const { spawn } = ChildProcess.prototype;
ChildProcess.prototype.spawn = function recordedSpawn(options) {
  ChildProcess.prototype.spawn = spawn;
  writeFileSync(join(__dirname, `start-${process.argv[2] ?? "none"}`), names.join("\n"));
  return spawn.call(this, options);
};
