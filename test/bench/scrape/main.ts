/**
 * `npm run bench:scrape`: merged metrics beside plain access to their source, and readiness probes, in one run.
 *
 *     node test/bench/scrape/main.ts [--runs=15] [--series=100000] [--seconds=5] [--connections=16] [--clients=1000]
 *
 * The source writes 100,000 series (23 MB), as an Envoy on its socket and as an application on a port: a process on the same
 * processors, as the client is. As an Envoy's they are merged by a status port alone, run with the release's flags; as an
 * application's by the release with a real Envoy, which is probed as well.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { eventually } from "../../support/eventually.ts";
import { watchPeak } from "../../support/peak-memory.ts";
import { SlowClients } from "../../support/slow-clients.ts";
import { StandaloneSidecar } from "../../support/standalone-sidecar.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { type Figure, jsonLine, table } from "../figure.ts";
import { startPart } from "../part.ts";
import { cpuMsOf, memoryOf } from "../procfs.ts";
import { probe } from "./probes.ts";
import { readAll, type SourceAddress } from "./read-all.ts";

const { values: flags } = parseArgs({
  options: {
    runs: { type: "string", default: "15" },
    series: { type: "string", default: "100000" },
    seconds: { type: "string", default: "5" },
    connections: { type: "string", default: "16" },
    clients: { type: "string", default: "1000" },
  },
});
const runs = Number(flags.runs);
const support = join(import.meta.dirname, "../../support");
const dist = join(import.meta.dirname, "../../../dist");

const rows = new Map<string, { subject: string; unit: Figure["unit"]; values: number[]; aim?: number }>();
function note(name: string, subject: string, unit: Figure["unit"], value: number, aim?: number): void {
  const key = `${name} | ${subject}`;
  const row = rows.get(key) ?? { subject, unit, values: [], ...(aim === undefined ? {} : { aim }) };
  row.values.push(value);
  rows.set(key, row);
}

await using stack = new AsyncDisposableStack();
const folder = stack.use(temporaryFolder()).path;
const socketPath = join(folder, "envoy.sock");
const source = stack.use(await startPart(join(support, "metric-source-main.ts"), [flags.series, socketPath]));
const sourcePort = portOf(source.lines);
const part = stack.use(await startPart(join(support, "scrape-port-main.ts"), ["envoy", socketPath]));
const sidecar = stack.use(
  await StandaloneSidecar.ready({
    folder: join(folder, "sidecar"),
    program: { file: join(dist, "bin/outrider"), args: [] },
    env: {
      ISTIO_PROMETHEUS_ANNOTATIONS: JSON.stringify({
        scrape: "true",
        port: String(sourcePort),
        path: "/metrics",
      }),
    },
  }),
);

const subjects: readonly (readonly [
  subject: string,
  direct: SourceAddress,
  merged: SourceAddress,
  pid: number,
])[] = [
  ["an Envoy's", { path: socketPath }, { port: portOf(part.lines) }, part.pid],
  ["an application's", { port: sourcePort }, { port: sidecar.ports.status }, await agentPid()],
];
const { bytes } = await readAll({ path: socketPath });

for (const [subject, , at, pid] of subjects) {
  const rest = memoryOf(pid).rss;
  const memory = watchPeak(pid);
  await readAll(at);
  note("grown at the first scrape's peak", subject, "MiB", memory.peakMiB() - rest, 3);
  await measure(subject, at, pid);
}
for (let run = 0; run < runs; run += 1)
  for (const [subject, direct] of subjects)
    note("direct", subject, "MB/s", megabytes((await readAll(direct)).ms));

for (let run = 0; run < 3; run += 1) await measureProbes("no others");
{
  using slow = new SlowClients(sidecar.ports.status, Number(flags.clients));
  await eventually(
    "all of them have come",
    () => {
      if (slow.connected < Number(flags.clients)) throw new Error(`${slow.connected} have`);
    },
    { withinMs: 30_000 },
  );
  for (let run = 0; run < 3; run += 1) await measureProbes(`beside ${flags.clients} slow clients`);
}

const figures = [...rows].map(([key, row]): Figure => ({ name: key.split(" | ")[0] ?? "", ...row }));
console.log(table(figures));
for (const figure of figures) console.log(jsonLine(figure));

async function measure(subject: string, at: SourceAddress, pid: number): Promise<void> {
  for (const [name, headers, aim] of [
    ["merged", [], 380],
    ["merged, gzip", ["accept-encoding: gzip"], 197],
  ] as const) {
    const rest = memoryOf(pid).rss;
    const memory = watchPeak(pid);
    for (let run = 0; run < runs; run += 1) {
      const before = cpuMsOf(pid);
      const { ms } = await readAll(at, headers);
      note(name, subject, "MB/s", megabytes(ms), aim);
      note(`${name}: the agent's processor time`, subject, "ms", cpuMsOf(pid) - before);
    }
    note(`${name}: grown at the peak of ${runs}`, subject, "MiB", memory.peakMiB() - rest, 3);
  }
}

async function measureProbes(beside: string): Promise<void> {
  const { perSecond, p50, p99, slowest } = await probe(
    sidecar.ports.status,
    Number(flags.connections),
    Number(flags.seconds),
  );
  note("probes", beside, "/s", perSecond, 17_000);
  note("probe p50", beside, "ms", p50);
  note("probe p99", beside, "ms", p99, 3.4);
  note("slowest probe", beside, "ms", slowest, 100);
}

/** Of what the source has written, whatever became of it on the way. */
function megabytes(ms: number): number {
  return bytes / 1e3 / ms;
}

function portOf(lines: readonly string[]): number {
  return Number(/^port (\d+)$/.exec(lines[0] ?? "")?.[1]);
}

/** The release's launcher becomes the agent. */
async function agentPid(): Promise<number> {
  return (await sidecar.report()).agent.pid;
}
