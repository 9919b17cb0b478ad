"use strict";
// Preloaded into a release: prints a line for each part that is loaded, and what became of its code cache; and with the
// first child one for each module of Node.js so far.
const { ChildProcess } = require("node:child_process");
const { writeSync } = require("node:fs");
const { basename } = require("node:path");
const vm = require("node:vm");

vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options);
    const fate = { true: "rejected", false: "accepted", undefined: "missing" }[this.cachedDataRejected];
    writeSync(1, `part ${basename(options.filename)} ${fate}\n`);
  }
};

const { spawn } = ChildProcess.prototype;
ChildProcess.prototype.spawn = function tracedSpawn(options) {
  ChildProcess.prototype.spawn = spawn;
  for (const name of process.moduleLoadList) writeSync(1, `module ${name.replace("NativeModule ", "")}\n`);
  return spawn.call(this, options);
};
