/**
 * `npm run bench`: start, memory and idle time of the release, beside what they are made of.
 *
 *     node test/bench/main.ts [--runs=7] [--restSeconds=20] [--idleSeconds=30] [--patienceSeconds=20]
 *                             [--subjects=release,sources] [--against='<command>']
 *
 * Each run waits for a quiet machine, at most `patienceSeconds`, and starts one sidecar with a real Envoy; the
 * control plane is another process. Memory is read after `restSeconds` of rest. Time on a processor is read over
 * `idleSeconds`, of all sidecars at once at the end, as they have nothing to do then. The control plane and this
 * program run on another copy of Node.js, so that the release shares none of its pages with them. `--against` starts another agent in
 * turns with ours: any that has pilot-agent's command line and environment, Istio's own among them.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { egress, mutualTls, service } from "../support/mesh-objects.ts";
import { freePorts } from "../support/free-ports.ts";
import { TestMesh } from "../support/mesh.ts";
import { type Program, sources } from "../support/outrider.ts";
import { type AgentMeasurement, measureIdle, measureStart, warmUp } from "./agent.ts";
import { measureBareEnvoy, measureBareNode } from "./baselines.ts";
import { jsonLine, table } from "./figure.ts";
import { Notes } from "./notes.ts";
import { otherName, otherProgram, otherSidecar } from "./other-agent.ts";
import { ratioTable } from "./ratios.ts";

const dist = join(import.meta.dirname, "../../dist");
const programs: Readonly<Record<string, Program>> = {
  release: { file: join(dist, "bin/outrider"), args: [] },
  sources,
};

const { values: flags } = parseArgs({
  options: {
    runs: { type: "string", default: "7" },
    restSeconds: { type: "string", default: "20" },
    idleSeconds: { type: "string", default: "30" },
    patienceSeconds: { type: "string", default: "20" },
    subjects: { type: "string", default: "release,sources" },
    against: { type: "string" },
  },
});
const plan = {
  names: Array.from({ length: Number(flags.runs) }, (_, index) => `web${index}`),
  restMs: Number(flags.restSeconds) * 1_000,
  idleMs: Number(flags.idleSeconds) * 1_000,
  patienceMs: Number(flags.patienceSeconds) * 1_000,
};

const [apiPort = 0, ...outboundPorts] = await freePorts(plan.names.length + 1);
await using mesh = await TestMesh.start({
  "mesh.yaml": [
    mutualTls("STRICT"),
    service("api", [{ port: apiPort }]),
    ...plan.names.map((name, index) => egress(name, outboundPorts[index] ?? 0)),
  ],
});

const other = otherProgram(flags.against);
const measurements: readonly AgentMeasurement[] = [
  ...flags.subjects.split(",").map((subject): AgentMeasurement => {
    const program = programs[subject];
    if (program === undefined) throw new Error(`${subject} is none of ${Object.keys(programs).join(", ")}`);
    return { ...plan, mesh, subject, program, changes: undefined };
  }),
  ...(other === undefined
    ? []
    : [{ ...plan, mesh, subject: otherName, program: other, changes: () => otherSidecar(other) }]),
];

const notes = new Notes();
for (const measurement of measurements) await warmUp(measurement);
for (const name of plan.names)
  for (const measurement of measurements) notes.addAll(await measureStart(measurement, name));
for (const measurement of measurements) notes.addAll(await measureIdle(measurement));
notes.addAll(await measureBareEnvoy(plan.names.length, join(mesh.folder, "bare-envoy")));
notes.addAll(await measureBareNode(plan.names.length, join(dist, "lib/node")));

console.log(table(notes.figures));
if (other !== undefined)
  console.log(`\n${ratioTable(notes.figures, [{ ours: "release", theirs: otherName }])}`);
for (const figure of notes.figures) console.log(jsonLine(figure));
