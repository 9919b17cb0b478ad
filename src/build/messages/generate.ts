/**
 * Generates the protobuf messages that are committed under `src/proto`.
 *
 * The agent's own small protos and Envoy's full types for the control plane go through the same plugin. Run it
 * only when a proto changes: it needs Python 3, from which it takes protoc and Envoy's descriptors.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const packages = ["xds-protos==1.85.0", "grpcio-tools==1.85.1", "googleapis-common-protos==1.76.0"];
const source = join(import.meta.dirname, "../..");
const agent = join(source, "proto/agent");
/** The module of Istio's API, by the version that test/istiod runs. */
const istioApi = "https://proxy.golang.org/istio.io/api/@v/v1.31.0-rc.0.0.20260824154656-b943409680a7.zip";
const istio = join(source, "proto/istio");
const envoy = join(source, "proto/envoy");
const plugin = join(source, "../node_modules/.bin/protoc-gen-es");

/** The plugin imports these from its own runtime. */
const wellKnown = /^google\/protobuf\//;

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { stdio: "inherit" });
}

function generate(work: string): void {
  const python = join(work, "venv/bin/python");
  run("python3", ["-m", "venv", join(work, "venv")]);
  run(python, ["-m", "pip", "install", "--quiet", ...packages]);

  const protoc = ["-m", "grpc_tools.protoc", `--plugin=protoc-gen-es=${plugin}`];
  const options = "target=js+dts,import_extension=js";
  const own = readdirSync(agent).filter((name) => name.endsWith(".proto"));
  run(python, [...protoc, `--proto_path=${agent}`, `--es_out=${agent}`, `--es_opt=${options}`, ...own]);

  const roots = readFileSync(join(import.meta.dirname, "roots.txt"), "utf8")
    .trim()
    .split("\n");
  const set = join(work, "envoy.binpb");
  run(python, ["-B", join(import.meta.dirname, "descriptor-set.py"), set, ...roots]);
  const listed = execFileSync(python, [join(import.meta.dirname, "list-files.py"), set], {
    encoding: "utf8",
  });
  const files = listed
    .trim()
    .split("\n")
    .filter((name) => !wellKnown.test(name));
  rmSync(envoy, { recursive: true, force: true });
  run("mkdir", ["-p", envoy]);
  run(python, [
    ...protoc,
    `--descriptor_set_in=${set}`,
    `--es_out=${envoy}`,
    `--es_opt=${options},json_types=true`,
    ...files,
  ]);

  const all = join(work, "all.binpb");
  run(python, ["-B", join(import.meta.dirname, "all-descriptors.py"), all]);
  writeDescriptors(envoy, all, "Envoy's whole API");

  const ofIstio = join(work, "istio.binpb");
  run(python, ["-B", join(import.meta.dirname, "istio-descriptors.py"), istioApi, ofIstio]);
  rmSync(istio, { recursive: true, force: true });
  run("mkdir", ["-p", istio]);
  writeDescriptors(istio, ofIstio, "Istio's API of configuration, and of MCP");
}

/** @param set file with a FileDescriptorSet */
function writeDescriptors(folder: string, set: string, what: string): void {
  const compressed = gzipSync(readFileSync(set), { level: 9 }).toString("base64");
  writeFileSync(join(folder, "descriptors.js"), `export const descriptors =\n  "${compressed}";\n`);
  writeFileSync(
    join(folder, "descriptors.d.ts"),
    `/** Descriptors of ${what}: a FileDescriptorSet, compressed by gzip, in base64. */\nexport declare const descriptors: string;\n`,
  );
}

const work = mkdtempSync(join(tmpdir(), "outrider-messages-"));
try {
  generate(work);
} finally {
  rmSync(work, { recursive: true, force: true });
}
