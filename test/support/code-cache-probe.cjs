"use strict";
// Preloaded into a release: prints a line for each part that is loaded, and what became of its code cache; and with the
// first child one for each module of Node.js so far.
const { ChildProcess } = require("node:child_process");
const { writeSync } = require("node:fs");
const { basename } = require("node:path");
const vm = require("node:vm");

/** Whole lines, however long the other side takes: standard output may be a pipe that does not block. */
function print(lines) {
  let rest = Buffer.from(`${lines}\n`);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}

vm.Script = class extends vm.Script {
  constructor(source, options) {
    super(source, options);
    const fate = { true: "rejected", false: "accepted", undefined: "missing" }[this.cachedDataRejected];
    print(`part ${basename(options.filename)} ${fate}`);
  }
};

const { spawn } = ChildProcess.prototype;
ChildProcess.prototype.spawn = function tracedSpawn(options) {
  ChildProcess.prototype.spawn = spawn;
  print(process.moduleLoadList.map((name) => `module ${name.replace("NativeModule ", "")}`).join("\n"));
  return spawn.call(this, options);
};
