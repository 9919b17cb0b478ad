import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { describe, test } from "node:test";

const src = join(import.meta.dirname, "../../src");

const foundation = [
  "pki",
  "proto",
  "telemetry",
  "net",
  "files",
  "document",
  "schema",
  "process",
  "lifecycle",
];
const protocols = ["xds", "grpc", "probe", ...foundation];
const features = [
  "app-probes",
  "application",
  "bootstrap",
  "capture",
  "dns",
  "envoy",
  "identity",
  "otlp",
  "scrape",
  "sds",
  "status-page",
  "wasm",
  "workload-health",
  "xdsproxy",
];

// The architecture: each folder and the folders it may import beside its own. A feature never imports a feature.
const mayImport: Readonly<Record<string, readonly string[]>> = {
  lifecycle: [],
  process: ["lifecycle"],
  files: ["lifecycle"],
  document: [],
  schema: [],
  net: ["files", "process", "lifecycle"],
  telemetry: ["files", "lifecycle"],
  proto: [],
  pki: ["files", "process", "lifecycle"],
  grpc: foundation,
  probe: ["grpc", ...foundation],
  init: foundation,
  command: ["init", ...foundation],
  xds: ["grpc", ...foundation],
  // Features bring the status port their routes.
  status: foundation,
  ...Object.fromEntries(features.map((feature) => [feature, ["status", ...protocols]])),
  config: [...features, "status", ...protocols],
  agent: ["config", ...features, "status", ...protocols],
  doctor: ["config", ...features, "status", ...protocols],
  plan: ["config", ...features, "status", ...protocols],
  controlplane: protocols,
  beside: ["config", ...features, "status", "command", "init", ...protocols],
  demo: ["controlplane", "command", "config", ...features, "status", ...protocols],
  cli: [
    "beside",
    "demo",
    "agent",
    "doctor",
    "plan",
    "controlplane",
    "config",
    ...features,
    "status",
    "command",
    "init",
    ...protocols,
  ],
  ctl: [
    "beside",
    "plan",
    "doctor",
    "demo",
    "controlplane",
    "config",
    ...features,
    "status",
    "command",
    "init",
    ...protocols,
  ],
  build: ["agent", "cli", "ctl", "command", "config", "controlplane", "envoy", "status", ...foundation],
  "run-program.ts": ["command", "init", "telemetry", "process", "lifecycle"],
  "main.ts": ["run-program.ts", "cli"],
  "outriderctl.ts": ["run-program.ts", "ctl"],
};

// Rooms with rooms of their own: each of these and those beside it that it may import, none of which stands below it.
// Files at the top of such a room put its parts together: they import any of them, and none imports them.
const subRooms: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  capture: {
    options: [],
    plan: ["options"],
    render: ["options", "plan"],
    apply: ["options", "plan", "render"],
    trace: ["options", "plan", "render", "apply"],
    proof: ["options", "plan", "render", "apply", "trace"],
  },
  dns: {
    wire: [],
    table: ["wire"],
    upstream: ["wire"],
    answer: ["wire", "table", "upstream"],
    serve: ["wire", "answer"],
    report: ["wire", "table", "upstream", "answer"],
  },
  envoy: {
    admin: [],
    binary: [],
    exits: [],
    generation: ["admin", "exits"],
    drain: ["admin", "generation"],
    inspect: ["admin", "exits", "generation"],
    swap: ["admin", "exits", "generation", "inspect"],
    supervision: ["admin", "drain", "exits", "generation", "inspect", "swap"],
  },
  config: {
    sources: [],
    "proxy-config": ["sources"],
    cloud: ["sources"],
    decide: ["sources", "proxy-config", "cloud"],
  },
  controlplane: {
    kubernetes: [],
    ca: ["kubernetes"],
    config: [],
    inject: ["config"],
    admission: ["kubernetes", "config", "inject"],
    registry: ["kubernetes", "config"],
    "object-status": ["kubernetes", "config", "registry"],
    model: ["config", "registry"],
    networking: ["config", "model"],
    jwks: ["config", "model"],
    push: ["model", "networking"],
  },
  xdsproxy: {
    upstream: [],
    report: ["upstream"],
    cache: [],
    downstream: ["report", "cache"],
    handlers: ["report"],
    refusals: ["report", "cache", "downstream"],
    stream: ["upstream", "report", "cache", "downstream", "handlers", "refusals"],
  },
  scrape: { formats: [], merge: ["formats"], source: ["formats", "merge"] },
  status: { contract: [], profile: ["contract"], routes: ["contract", "profile"] },
};

// The one place of each library.
const homes: Readonly<Record<string, readonly string[]>> = {
  yargs: ["command/parse.ts"],
  "yargs-parser": ["command/command-line.ts"],
  execa: ["process/command.ts"],
  // The ownership of children is learned from its diagnostics channel.
  "node:child_process": ["process/child.ts", "init/owned-children.ts", "build/"],
  "@grpc/grpc-js": ["grpc/"],
  chokidar: ["files/file-watch.ts"],
  "prom-client": ["telemetry/metrics.ts"],
  "@opentelemetry": ["otlp/"],
  koffi: ["init/waitpid.ts", "net/original-destination.ts", "process/give-back.ts"],
  re2js: ["scrape/name-filter.ts", "controlplane/config/regular-expressions.ts", "ctl/explain/matchers.ts"],
  "json-e": ["bootstrap/render.ts"],
  rfc6902: ["controlplane/inject/json-patch.ts", "ctl/inject/patched-text.ts"],
  diff: ["plan/diff.ts"],
  "dns-packet": ["dns/"],
  jose: ["controlplane/"],
  "@kubernetes/client-node": ["controlplane/kubernetes/kubeconfig.ts"],
  ws: ["ctl/kubernetes/port-forward-stream.ts"],
  "tar-stream": ["beside/bundle/archive.ts", "wasm/unpack/tar.ts"],
  "@peculiar/x509": ["controlplane/ca/"],
  "reflect-metadata": ["controlplane/ca/"],
};

// Node's own break above 24.8 days.
const nodeTimers = /\bset(?:Timeout|Interval)\b|\bAbortSignal\.timeout\b/;

// What runs commands in a process.
const programs: readonly string[] = ["run-program.ts", "main.ts", "outriderctl.ts"];

// What these read has a path from outside: a FIFO would hold them for ever, and a device has no end.
const readsFromOutside: readonly string[] = [
  "agent",
  "bootstrap",
  "capture",
  "config",
  "grpc",
  "identity",
  "pki",
  "sds",
];

// What Envoy's full messages may be loaded by: no agent loads these rooms.
const knowsAllMessages: readonly string[] = ["controlplane", "ctl"];

// Whoever waits, or measures how long something took, asks the monotonic clock. These ask the other one, for a reason.
const wallClockReaders: Readonly<Record<string, string>> = {
  "agent/newcomer-services.ts": "a certificate's end",
  "demo/checks.ts": "a certificate's end",
  "controlplane/ca/authority.ts": "the life of a certificate to be",
  "controlplane/ca/material.ts": "the life of a certificate to be",
  "controlplane/registry/file/config-folder.ts": "the age of a file",
  "controlplane/demo-tokens.ts": "the life of a token to be",
  "files/atomic-file.ts": "the age of a file",
  "lifecycle/wall-clock.ts": "the age of a file",
  "sds/secret-table.ts": "a certificate's end",
  "wasm/store/module-store.ts": "the age of a file",
  "xdsproxy/cache/xds-cache.ts": "the age of a file",
};

interface SourceFile {
  /** Relative to `src`. */
  readonly path: string;
  readonly text: string;
}

function violations(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const [from = ""] = path.split("/");
    const specifiers = [...text.matchAll(/\b(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(
      (match) => match[1] ?? "",
    );
    const imports = specifiers.flatMap((specifier) => {
      if (!specifier.startsWith(".")) return foreignImport(path, specifier);
      const target = normalize(join(dirname(path), specifier))
        .split(sep)
        .join("/");
      const [to = ""] = target.split("/");
      if (target.startsWith("proto/envoy/") && !knowsAllMessages.includes(from))
        return [`${path} imports proto/envoy/`];
      if (to === from) return importsWithin(from, path, target);
      return mayImport[from]?.includes(to) === true ? [] : [`${path} imports ${to}/`];
    });
    const isEdge = programs.includes(path) || from === "build" || from === "bin";
    return [
      ...imports,
      ...(!isEdge && /\bprocess\.(env|exit|on)\b/.test(text) ? [`${path} uses the process`] : []),
      ...(from !== "build" && /\bmkdir(Sync)?\([^;]*recursive: true/.test(text)
        ? [`${path} makes folders with Node's recursive mkdir`]
        : []),
      ...(readsFromOutside.includes(from) &&
      /\breadFileSync\b|\bcreateReadStream\b|"node:fs\/promises"/.test(text)
        ? [`${path} reads a file itself`]
        : []),
      ...(/\bDate\.now\b/.test(text) && wallClockReaders[path] === undefined
        ? [`${path} asks the wall clock`]
        : []),
      ...(path !== "lifecycle/timer.ts" && nodeTimers.test(text) ? [`${path} uses Node's timers`] : []),
      ...(text.split("\n").length > 401 ? [`${path} is longer than 400 lines`] : []),
    ];
  });
}

/** What is wrong with an import inside one room. */
function importsWithin(room: string, path: string, target: string): string[] {
  const rows = subRooms[room];
  const from = subRoomOf(path);
  const to = subRoomOf(target);
  if (rows === undefined || from === undefined || from === to) return [];
  if (to === undefined) return [`${path} imports ${target}, which is above it`];
  return rows[from]?.includes(to) === true ? [] : [`${path} imports ${room}/${to}/`];
}

/** Undefined for a file at the top of its room. */
function subRoomOf(path: string): string | undefined {
  const [, folder, file] = path.split("/");
  return file === undefined ? undefined : folder;
}

function foreignImport(path: string, specifier: string): string[] {
  const library = Object.keys(homes).find((name) => specifier === name || specifier.startsWith(`${name}/`));
  if (library === undefined) return [];
  return homes[library]?.some((home) => path.startsWith(home)) === true ? [] : [`${path} imports ${library}`];
}

function sourceFiles(): SourceFile[] {
  return readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"))
    .map((name) => ({ path: name.split(sep).join("/"), text: readFileSync(join(src, name), "utf8") }));
}

describe("architecture", () => {
  test("imports go down the layers, libraries have one home, files stay small", () => {
    const files = sourceFiles();
    assert.ok(files.length > 80, "the sources were not found");
    assert.deepEqual(violations(files), []);
  });

  test("every folder has its place in the table", () => {
    const folders = new Set(sourceFiles().map(({ path }) => path.split("/")[0] ?? ""));
    assert.deepEqual(
      [...folders].filter((folder) => mayImport[folder] === undefined),
      [],
    );
  });

  test("every folder of a room with sub-rooms has its row, and rows name those above them only", () => {
    const paths = sourceFiles().map(({ path }) => path);
    for (const [room, rows] of Object.entries(subRooms)) {
      const folders = paths.filter((path) => path.startsWith(`${room}/`)).map(subRoomOf);
      const found = new Set(folders.filter((folder) => folder !== undefined));
      assert.deepEqual([...found].toSorted(), Object.keys(rows).toSorted(), room);
      const above = new Set<string>();
      for (const [name, allowed] of Object.entries(rows)) {
        const wrong = allowed.filter((other) => !above.has(other));
        assert.deepEqual(wrong, [], `${room}/${name}`);
        above.add(name);
      }
    }
  });

  test("a violation is found and named", () => {
    const made = [
      {
        path: "sds/server.ts",
        text: 'import { x } from "../identity/y.ts";\nconst z = await import("../agent/z.ts");',
      },
      { path: "status/server.ts", text: 'import { spawn } from "node:child_process";\nprocess.exit(1);' },
      { path: "agent/a.ts", text: 'import type { C } from "../proto/envoy/c_pb.js";' },
      { path: "net/long.ts", text: "\n".repeat(401) },
      { path: "identity/reader.ts", text: "readFileSync(path)" },
      // It never returns on procfs: src/files/folder.ts does.
      { path: "files/made.ts", text: "mkdirSync(path, { recursive: true, mode });" },
      { path: "net/deadline.ts", text: "const end = Date.now() + 5_000;" },
      { path: "net/timer.ts", text: "socket.setTimeout(1)" },
      { path: "xds/timer.ts", text: "AbortSignal.timeout(1)" },
      { path: "sds/timer.ts", text: 'import { setInterval } from "node:timers/promises";' },
      {
        path: "controlplane/model/up.ts",
        text: 'import "../push/a.ts"; import "../config/b.ts"; import { c } from "../server.ts";',
      },
      { path: "controlplane/server.ts", text: 'import { a } from "./push/a.ts"; import "./b.ts";' },
    ];
    assert.deepEqual(violations(made), [
      "sds/server.ts imports identity/",
      "sds/server.ts imports agent/",
      "status/server.ts imports node:child_process",
      "status/server.ts uses the process",
      "agent/a.ts imports proto/envoy/",
      "net/long.ts is longer than 400 lines",
      "identity/reader.ts reads a file itself",
      "files/made.ts makes folders with Node's recursive mkdir",
      "net/deadline.ts asks the wall clock",
      "net/timer.ts uses Node's timers",
      "xds/timer.ts uses Node's timers",
      "sds/timer.ts uses Node's timers",
      "controlplane/model/up.ts imports controlplane/push/",
      "controlplane/model/up.ts imports controlplane/server.ts, which is above it",
    ]);
  });
});
