"use strict";
/*
 * Installs the dependencies when the lockfile is not the one that was installed.
 *
 * npm runs this before start, test, check, build and bench, with whatever Node.js the machine has: so no syntax
 * newer than ES2017 and nothing outside Node.js itself. What follows runs with the pinned Node.js, which npm finds
 * first in node_modules/.bin.
 */
var childProcess = require("child_process");
var crypto = require("crypto");
var fs = require("fs");
var path = require("path");

var root = path.join(__dirname, "../..");
var modules = path.join(root, "node_modules");
var stamp = path.join(modules, ".outrider-lock");
var pinnedNode = path.join(modules, ".bin/node");

function lockHash() {
  return crypto
    .createHash("sha256")
    .update(fs.readFileSync(path.join(root, "package-lock.json")))
    .digest("hex");
}

function installedHash() {
  return fs.existsSync(pinnedNode) && fs.existsSync(stamp) ? fs.readFileSync(stamp, "utf8") : "";
}

function fail(message) {
  process.stderr.write(message + "\n");
  process.exit(1);
}

function install() {
  process.stderr.write("installing dependencies (npm ci) …\n");
  var npm = process.env.npm_execpath;
  var command = npm ? process.execPath : "npm";
  // No package here needs an install script, so none gets to run.
  var args = (npm ? [npm] : []).concat([
    "ci",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ]);
  var result = childProcess.spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (result.status !== 0) {
    fail(
      "npm ci failed: see above. It needs the npm registry; set `npm config set registry` if you use a mirror.",
    );
  }
}

var wanted = lockHash();
if (installedHash() !== wanted) {
  install();
  var check = childProcess.spawnSync(pinnedNode, ["--version"], { encoding: "utf8" });
  if (check.status !== 0) {
    fail(
      "the pinned Node.js does not run on this machine (" +
        process.platform +
        " " +
        process.arch +
        "): outrider needs Linux with glibc on x86_64 or arm64.",
    );
  }
  fs.writeFileSync(stamp, wanted);
  process.stderr.write("dependencies installed, Node.js " + check.stdout);
}
