#!/usr/bin/env node
"use strict";
/*
 * Starts outrider: the release in dist/ if it is built, else the sources with the pinned Node.js. Whatever Node.js
 * runs this file: so no syntax newer than ES2017.
 */
var childProcess = require("child_process");
var fs = require("fs");
var path = require("path");

var root = path.join(__dirname, "../..");
var release = path.join(root, "dist/bin/outrider");
var pinned = path.join(root, "node_modules/.bin/node");

function command() {
  var words = process.argv.slice(2);
  if (fs.existsSync(release)) return [release].concat(words);
  var isNewEnough = Number(process.versions.node.split(".")[0]) >= 24;
  var node = fs.existsSync(pinned) ? pinned : isNewEnough ? process.execPath : undefined;
  if (node !== undefined) return [node, path.join(root, "src/main.ts")].concat(words);
  process.stderr.write(
    "outrider needs Node.js 24: run `npm ci` in " + root + ", or install Node.js 24 or newer.\n",
  );
  return process.exit(64);
}

var words = command();
if (typeof process.execve === "function") process.execve(words[0], words, process.env);
var child = childProcess.spawn(words[0], words.slice(1), { stdio: "inherit" });
// All that src/init/signals.ts listens for, and a change of the terminal's size.
var passedOn = "TERM INT QUIT HUP USR1 USR2 WINCH ALRM IO PROF PWR STKFLT VTALRM XCPU XFSZ".split(" ");
passedOn.forEach(function (word) {
  var name = "SIG" + word;
  process.on(name, function () {
    child.kill(name);
  });
});
child.on("exit", function (code, signal) {
  process.exit(code === null ? 128 + require("os").constants.signals[signal] : code);
});
