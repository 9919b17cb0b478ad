/**
 * `npm run bench:sds`: secrets for many streams and at a start.
 *
 *     node test/bench/sds/main.ts [--runs=5] [--rotations=10000] [--no-firstSecret] [--against='<command>']
 *
 * The SDS server and a bare HTTP/2 server, which shows what Node.js itself takes, run in a process each, as the
 * release runs. The first secret is that of the release beside an Envoy that starts, from a control plane with a CA in
 * another process. `--against` has the release and another agent serve the same mounted files in turns, beside no Envoy.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { TestMesh } from "../../support/mesh.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { TestPki, validity } from "../../support/test-pki.ts";
import { type Figure, jsonLine, table } from "../figure.ts";
import { otherName, otherProgram } from "../other-agent.ts";
import { startPart } from "../part.ts";
import { ratioTable } from "../ratios.ts";
import { measureFirstSecret } from "./first-secret.ts";
import { measureAgents } from "./agents.ts";
import {
  measureManyRotations,
  measureRotation,
  measureStreams,
  rotatedByMessage,
  type Rotator,
  type Subject,
} from "./measure.ts";

const { values: flags } = parseArgs({
  options: {
    runs: { type: "string", default: "5" },
    rotations: { type: "string", default: "10000" },
    firstSecret: { type: "boolean", default: true },
    against: { type: "string" },
  },
  allowNegative: true,
});
const runs = Number(flags.runs);

await using stack = new AsyncDisposableStack();
const folder = stack.use(temporaryFolder()).path;
const pki = await TestPki.create();
const { certificatePem, privateKeyPem } = await pki.serverKeyPair(["web"], validity(-60_000, 3_600_000));
const files = Object.entries({
  "cert-chain.pem": certificatePem + pki.rootPem,
  "key.pem": privateKeyPem,
  "root-cert.pem": pki.rootPem,
}).map(([name, content]) => {
  writeFileSync(join(folder, name), content, { mode: 0o600 });
  return join(folder, name);
});

const figures: Figure[] = [];
for (const [name, script] of [
  ["bare node:http2", "bare.ts"],
  ["SDS server", "server.ts"],
] as const) {
  const own = join(folder, script);
  mkdirSync(own);
  const start = () => startPart(join(import.meta.dirname, script), [own, ...files]);
  for (const measure of [
    (subject: Subject) => measureStreams(subject, 1_000, runs),
    (subject: Subject) => measureStreams(subject, 2_000, runs),
    (subject: Subject) => measureRotation(subject, 500, 4 * runs),
    (subject: Subject) => measureManyRotations(subject, Number(flags.rotations)),
  ]) {
    // A process of its own for each, whose memory nothing else has grown.
    await using part = await start();
    const rotator = (): Rotator => rotatedByMessage(join(own, "control"));
    figures.push(...(await measure({ name, socket: join(own, "sds"), pid: part.pid, rotator })));
  }
}
const release = { file: join(import.meta.dirname, "../../../dist/bin/outrider"), args: [] };
const other = otherProgram(flags.against);
if (other !== undefined) {
  const agents = { release, [otherName]: other };
  figures.push(...(await measureAgents(agents, pki, join(folder, "agents"), runs)));
}
if (flags.firstSecret) {
  await using mesh = await TestMesh.start({});
  figures.push(...(await measureFirstSecret(mesh, release, runs)));
}

console.log(table(figures));
if (other !== undefined) console.log(`\n${ratioTable(figures, [{ ours: "release", theirs: otherName }])}`);
for (const figure of figures) console.log(jsonLine(figure));
