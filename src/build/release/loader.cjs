"use strict";
/*
 * The release's entry: loads parts of the program, each with V8's code cache of it where there is one.
 *
 * The cache lies beside the part and depends on nothing but the Node.js of the release and its flags: neither on
 * the user nor on the path, as Node.js' own compile cache does. V8 refuses a cache that does not fit and compiles.
 */
const { closeSync, fstatSync, openSync, readFileSync, readSync } = require("node:fs");
const { pathToFileURL } = require("node:url");
const { Script } = require("node:vm");

const moduleUrl = pathToFileURL(__filename).href;
const loaded = new Map();

function readCache(path) {
  let file;
  try {
    file = openSync(path);
  } catch {
    return undefined;
  }
  const cache = new Uint8Array(fstatSync(file).size);
  readSync(file, cache);
  closeSync(file);
  return cache;
}

function load(name) {
  const known = loaded.get(name);
  if (known !== undefined) return known.exports;
  const part = { exports: {} };
  loaded.set(name, part);
  const filename = `${__dirname}/${name}`;
  const cachedData = readCache(`${filename}.cache`);
  // The parts are ASCII: as Latin-1, V8 keeps one byte for each character.
  const script = new Script(readFileSync(filename, "latin1"), { filename, cachedData });
  // V8 has copied what it wants; left to the garbage collector, the rest would stay for minutes.
  cachedData?.buffer.transfer(0);
  script.runInThisContext()(part.exports, requirePart, part, filename, __dirname, moduleUrl);
  return part.exports;
}

function requirePart(specifier) {
  return specifier.startsWith("./") ? load(specifier.slice(2)) : require(specifier);
}

load("main.js");
