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
const { setFlagsFromString } = require("node:v8");
const { Script } = require("node:vm");

/* Flags of V8, as `node-flags.ts` has them. */
const flags = FLAGS;

/* Small buffers are cut from common ones, and those that are kept keep all of it: with Node.js' own 64 KiB, a few hundred. */
Buffer.poolSize = 8_192;

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

let depth = 0;

const isControlPlane = process.argv[2] === "discovery" && basename(__filename) === "outrider.cjs";

/*
 * What holds between two loads: at first all but that what has not run yet is thrown away, as the start is yet to use it. A control
 * plane has work to do as long as it runs.
 */
let now = isControlPlane ? flags.usual : flags.starting;
setTimeout(() => {
  now = isControlPlane ? flags.loaded : flags.resting;
  now.forEach((flag) => setFlagsFromString(flag));
}, 5_000).unref();

/* Caches are bound to V8's usual flags, those in Node.js' binary too. */
function withCaches(use) {
  if (depth === 0) flags.usual.forEach((flag) => setFlagsFromString(flag));
  depth += 1;
  try {
    return use();
  } finally {
    depth -= 1;
    if (depth === 0) now.forEach((flag) => setFlagsFromString(flag));
  }
}

function compile(name) {
  const filename = `${__dirname}/${name}`;
  const cachedData = readCache(`${filename}.cache`);
  // The parts are ASCII: as Latin-1, V8 keeps one byte for each character.
  const source = readFileSync(filename, "latin1");
  const script = withCaches(() => new Script(source, { filename, cachedData }));
  // V8 has copied what it wants; left to the garbage collector, the rest would stay for minutes.
  cachedData?.buffer.transfer(0);
  return script.runInThisContext();
}

const isAgent = process.argv[2] === "proxy" && basename(__filename) === "outrider.cjs";

/*
 * The agent's parts as two files, that up to the start of Envoy and that after it: else a hundred and fifty would be opened, read
 * and taken in one by one. Other commands need few of them.
 */
const joined = isAgent ? compile("proxy.start.js")() : {};
function joinedPart(name) {
  if (isAgent && name.startsWith("late-parts-")) {
    Object.assign(joined, compile("proxy.late.js")());
    requireBuiltIn("node:dns");
  }
  return joined[name];
}

function load(name) {
  const known = loaded.get(name);
  if (known !== undefined) return known.exports;
  const part = { exports: {} };
  loaded.set(name, part);
  const run = joinedPart(name) ?? compile(name);
  run(part.exports, requirePart, part, `${__dirname}/${name}`, __dirname, moduleUrl);
  return part.exports;
}

/* Of Node.js, which loads some of its modules itself when they are used: every agent uses these. */
const builtIn = new Map();
function requireBuiltIn(specifier) {
  if (!builtIn.has(specifier))
    builtIn.set(
      specifier,
      withCaches(() => require(specifier)),
    );
  return builtIn.get(specifier);
}
if (isAgent) {
  for (const name of ["async_hooks", "child_process", "cluster", "perf_hooks"])
    requireBuiltIn(`node:${name}`);
  void withCaches(() => requireBuiltIn("node:async_hooks").AsyncLocalStorage);
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
  return loadedWhenUsed.has(specifier)
    ? whenUsed(() => requireBuiltIn(specifier))
    : requireBuiltIn(specifier);
}

now.forEach((flag) => setFlagsFromString(flag));
load(`${basename(__filename, ".cjs")}.js`);
