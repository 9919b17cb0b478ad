"use strict";
/*
 * Starts a program: the release in dist/ if it is built, else the sources with the pinned Node.js. Whatever Node.js
 * runs this file: so no syntax newer than ES2017.
 */
var childProcess = require("child_process");
var fs = require("fs");
var path = require("path");

var root = path.join(__dirname, "../..");
var pinned = path.join(root, "node_modules/.bin/node");

function command(name, source) {
  var words = process.argv.slice(2);
  var release = path.join(root, "dist/bin", name);
  if (fs.existsSync(release)) return [release].concat(words);
  var isNewEnough = Number(process.versions.node.split(".")[0]) >= 24;
  var node = fs.existsSync(pinned) ? pinned : isNewEnough ? process.execPath : undefined;
  if (node !== undefined) return [node, path.join(root, "src", source)].concat(words);
  process.stderr.write(
    name + " needs Node.js 24: run `npm ci` in " + root + ", or install Node.js 24 or newer.\n",
  );
  return process.exit(64);
}

module.exports = function start(name, source) {
  var words = command(name, source);
  if (typeof process.execve === "function") process.execve(words[0], words, process.env);
  var child = childProcess.spawn(words[0], words.slice(1), { stdio: "inherit" });
  // All that src/init/signals.ts listens for, and a change of the terminal's size.
  var passedOn = "TERM INT QUIT HUP USR1 USR2 WINCH ALRM IO PROF PWR STKFLT VTALRM XCPU XFSZ".split(" ");
  passedOn.forEach(function (word) {
    var signal = "SIG" + word;
    process.on(signal, function () {
      child.kill(signal);
    });
  });
  child.on("exit", function (code, signal) {
    process.exit(code === null ? 128 + require("os").constants.signals[signal] : code);
  });
};
