"use strict";
// Preloaded into a release: prints a line for each part that is loaded, and what became of its code cache.
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
