/**
 * `npm run bench:scrape`: merged metrics beside plain access to their source, and readiness probes, in one run.
 *
 *     node test/bench/scrape/main.ts [--runs=15] [--series=100000] [--seconds=5] [--connections=16] [--clients=1000]
 *                                    [--against='<command>']
 *
 * The source writes 100,000 series (23 MB), as an Envoy on its socket and as an application on a port: a process on the same
 * processors, as the client is. As an Envoy's they are merged by a status port alone, run with the release's flags; as an
 * application's by the release with a real Envoy, which is probed as well. Both have a control plane. `--against` has another agent merge the same and
 * answer the same probes, in turns with ours: any that has pilot-agent's command line and environment, Istio's own among them.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { eventually } from "../../support/eventually.ts";
import { TestMesh } from "../../support/mesh.ts";
import { watchPeak } from "../../support/peak-memory.ts";
import { SlowClients } from "../../support/slow-clients.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { jsonLine, table } from "../figure.ts";
import { Notes } from "../notes.ts";
import { otherName, otherProgram } from "../other-agent.ts";
import { startPart } from "../part.ts";
import { cpuMsOf, memoryOf } from "../procfs.ts";
import { ratioTable, type Rivals } from "../ratios.ts";
import { probe } from "./probes.ts";
import { readAll, type SourceAddress } from "./read-all.ts";
import { ofApplication, ofEnvoy, portOf, startOthers, startOurs, type Subject } from "./subjects.ts";

const { values: flags } = parseArgs({
  options: {
    runs: { type: "string", default: "15" },
    series: { type: "string", default: "100000" },
    seconds: { type: "string", default: "5" },
    connections: { type: "string", default: "16" },
    clients: { type: "string", default: "1000" },
    against: { type: "string" },
  },
});
const runs = Number(flags.runs);
const notes = new Notes();

await using stack = new AsyncDisposableStack();
const folder = stack.use(temporaryFolder()).path;
const socketPath = join(folder, "envoy.sock");
const sourceScript = join(import.meta.dirname, "../../support/metric-source-main.ts");
const source = stack.use(await startPart(sourceScript, [flags.series, socketPath]));
const places = { socketPath, port: portOf(source.lines) };
const other = otherProgram(flags.against);
const mesh = stack.use(await TestMesh.start({}));
const ours = await startOurs(places, mesh, stack);
const theirs = other === undefined ? [] : await startOthers(other, places, mesh);
const subjects: readonly Subject[] = [...ours, ...theirs];
const { bytes } = await readAll({ path: socketPath });

for (const subject of subjects) {
  const rest = memoryOf(subject.pid).rss;
  const memory = watchPeak(subject.pid);
  const { anonymous } = memoryOf(subject.pid);
  const first = await readAll(subject.merged);
  if (first.bytes < bytes / 2)
    throw new Error(`${subject.name}: ${first.bytes} bytes came of a source of ${bytes}`);
  notes.add("grown at the first scrape's peak", subject.name, "MiB", memory.peakMiB() - rest, 3);
  // What is beyond it are pages of Node.js' own file, which all agents of a machine share.
  notes.add("of which its own, after it", subject.name, "MiB", memoryOf(subject.pid).anonymous - anonymous);
}
await measure("merged", [], 380);
await measure("merged, gzip", ["accept-encoding: gzip"], 197);
for (let run = 0; run < runs; run += 1)
  for (const [name, at] of [
    [ofEnvoy, { path: socketPath }],
    [ofApplication, { port: places.port }],
  ] as const satisfies readonly (readonly [string, SourceAddress])[])
    notes.add("direct", name, "MB/s", megabytes((await readAll(at)).ms));

// Whoever merges an application's metrics is the whole agent.
const probed = [
  ...ours.slice(-1).map((subject) => ({ ...subject, suffix: "" })),
  ...theirs.slice(-1).map((subject) => ({ ...subject, suffix: `, ${otherName}` })),
];
for (let run = 0; run < 3; run += 1)
  for (const { suffix, merged, pid } of probed) await measureProbes(`no others${suffix}`, merged, pid);
const crowd = `beside ${flags.clients} slow clients`;
// They come once to each: what is measured is a port that has them, and not their coming alone.
for (const { suffix, merged, pid } of probed) {
  using slow = new SlowClients("port" in merged ? merged.port : 0, Number(flags.clients));
  await eventually(
    "all of them have come",
    () => {
      if (slow.connected < Number(flags.clients)) throw new Error(`${slow.connected} have`);
    },
    { withinMs: 30_000 },
  );
  for (let run = 0; run < 3; run += 1) await measureProbes(`${crowd}${suffix}`, merged, pid);
}

const rivals: readonly Rivals[] = [
  ...[ofEnvoy, ofApplication].map((name) => ({ ours: name, theirs: `${name}, by ${otherName}` })),
  ...["no others", crowd].map((name) => ({ ours: name, theirs: `${name}, ${otherName}` })),
];
console.log(table(notes.figures));
if (other !== undefined) console.log(`\n${ratioTable(notes.figures, rivals)}`);
for (const figure of notes.figures) console.log(jsonLine(figure));

async function measure(name: string, headers: readonly string[], aim: number): Promise<void> {
  const watched = subjects.map(({ pid }) => ({ rest: memoryOf(pid).rss, memory: watchPeak(pid) }));
  for (let run = 0; run < runs; run += 1)
    for (const { name: subject, merged, pid } of subjects) {
      const before = cpuMsOf(pid);
      const { ms } = await readAll(merged, headers);
      notes.add(name, subject, "MB/s", megabytes(ms), aim);
      notes.add(`${name}: the agent's processor time`, subject, "ms", cpuMsOf(pid) - before);
    }
  for (const [index, { rest, memory }] of watched.entries())
    notes.add(
      `${name}: grown at the peak of ${runs}`,
      subjects[index]?.name ?? "",
      "MiB",
      memory.peakMiB() - rest,
      3,
    );
}

async function measureProbes(beside: string, at: SourceAddress, pid: number): Promise<void> {
  const before = cpuMsOf(pid);
  const seconds = Number(flags.seconds);
  const { perSecond, p50, p99, slowest } = await probe(
    "port" in at ? at.port : 0,
    Number(flags.connections),
    seconds,
  );
  notes.add("probes", beside, "/s", perSecond, 17_000);
  notes.add(
    "processor time of 1,000 probes",
    beside,
    "ms",
    (cpuMsOf(pid) - before) / ((perSecond * seconds) / 1_000),
  );
  notes.add("probe p50", beside, "ms", p50);
  notes.add("probe p99", beside, "ms", p99, 3.4);
  notes.add("slowest probe", beside, "ms", slowest, 100);
}

/** Of what the source has written, whatever became of it on the way. */
function megabytes(ms: number): number {
  return bytes / 1e3 / ms;
}
