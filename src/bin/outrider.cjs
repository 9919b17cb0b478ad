#!/usr/bin/env node
"use strict";
/*
 * Starts outrider with the pinned Node.js, whatever Node.js runs this file: so no syntax newer than ES2017.
 */
var childProcess = require("child_process");
var fs = require("fs");
var path = require("path");

var root = path.join(__dirname, "../..");
var pinned = path.join(root, "node_modules/.bin/node");
var bundle = path.join(root, "dist/lib/outrider.cjs");
var program = fs.existsSync(bundle) ? bundle : path.join(root, "src/main.ts");
var isNewEnough = Number(process.versions.node.split(".")[0]) >= 24;
var node = fs.existsSync(pinned) ? pinned : isNewEnough ? process.execPath : undefined;

if (node === undefined) {
  process.stderr.write(
    "outrider needs Node.js 24: run `npm ci` in " + root + ", or install Node.js 24 or newer.\n",
  );
  process.exit(64);
}

var args = [program].concat(process.argv.slice(2));
if (typeof process.execve === "function") {
  process.execve(node, [node].concat(args), process.env);
}
var child = childProcess.spawn(node, args, { stdio: "inherit" });
["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGUSR2"].forEach(function (name) {
  process.on(name, function () {
    child.kill(name);
  });
});
child.on("exit", function (code, signal) {
  process.exit(code === null ? 128 + require("os").constants.signals[signal] : code);
});
