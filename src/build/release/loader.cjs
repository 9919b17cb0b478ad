"use strict";
/*
 * The entry of each of the release's programs, which has its name: loads parts of it, each with V8's code cache where there is
 * one.
 *
 * The cache lies beside the part and depends on nothing but the Node.js of the release and its flags: neither on
 * the user nor on the path, as Node.js' own compile cache does. V8 refuses a cache that does not fit and compiles.
 */
const { closeSync, fstatSync, openSync, readFileSync, readSync } = require("node:fs");
const { basename } = require("node:path");
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

function compile(name) {
  const filename = `${__dirname}/${name}`;
  const cachedData = readCache(`${filename}.cache`);
  // The parts are ASCII: as Latin-1, V8 keeps one byte for each character.
  const script = new Script(readFileSync(filename, "latin1"), { filename, cachedData });
  // V8 has copied what it wants; left to the garbage collector, the rest would stay for minutes.
  cachedData?.buffer.transfer(0);
  return script.runInThisContext();
}

/*
 * The agent's parts up to the start of Envoy, as one file: ninety would be opened, read and taken in one by one. Other
 * commands need few of them.
 */
const isAgent = process.argv[2] === "proxy" && basename(__filename) === "outrider.cjs";
const start = isAgent ? compile("proxy.start.js")() : {};

function load(name) {
  const known = loaded.get(name);
  if (known !== undefined) return known.exports;
  const part = { exports: {} };
  loaded.set(name, part);
  const run = start[name] ?? compile(name);
  run(part.exports, requirePart, part, `${__dirname}/${name}`, __dirname, moduleUrl);
  return part.exports;
}

/*
 * Modules of Node.js that take long to load. Many a part imports one for what happens later, or never: before Envoy
 * is started that would be 30 ms of processor time.
 */
const loadedWhenUsed = new Set(
  ["crypto", "dns", "dns/promises", "fs/promises", "http", "http2", "https", "tls", "zlib"].map(
    (name) => `node:${name}`,
  ),
);

/* Stands for a module that is loaded when something in it is first used. */
function whenUsed(module) {
  return new Proxy(
    {},
    {
      get: (_, name) => module()[name],
      ownKeys: () => Reflect.ownKeys(module()),
      // What `await import()` copies.
      getOwnPropertyDescriptor: (_, name) =>
        Object.hasOwn(module(), name)
          ? { value: module()[name], enumerable: true, configurable: true }
          : undefined,
    },
  );
}

/* `isLate` is set where the release is cut into parts. */
function requirePart(specifier, isLate) {
  if (specifier.startsWith("./")) {
    const name = specifier.slice(2);
    return isLate ? whenUsed(() => load(name)) : load(name);
  }
  return loadedWhenUsed.has(specifier) ? whenUsed(() => require(specifier)) : require(specifier);
}

load(`${basename(__filename, ".cjs")}.js`);
