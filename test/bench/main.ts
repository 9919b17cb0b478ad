/**
 * `npm run bench`: start, memory and idle time of the release, beside what they are made of.
 *
 *     node test/bench/main.ts [--runs=7] [--restSeconds=20] [--idleSeconds=30] [--patienceSeconds=20]
 *                             [--subjects=release,sources]
 *
 * Each run waits for a quiet machine, at most `patienceSeconds`, and starts one sidecar with a real Envoy; the
 * control plane is another process. Memory is read after `restSeconds` of rest. Time on a processor is read over
 * `idleSeconds`, of all sidecars at once at the end, as they have nothing to do then. The control plane and this
 * program run on another copy of Node.js, so that the release shares none of its pages with them.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { egress, mutualTls, service } from "../support/mesh-objects.ts";
import { freePorts } from "../support/free-ports.ts";
import { TestMesh } from "../support/mesh.ts";
import { type Program, sources } from "../support/outrider.ts";
import { measureAgent } from "./agent.ts";
import { measureBareEnvoy, measureBareNode } from "./baselines.ts";
import { type Figure, jsonLine, table } from "./figure.ts";

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

const figures: Figure[] = [];
for (const subject of flags.subjects.split(",")) {
  const program = programs[subject];
  if (program === undefined) throw new Error(`${subject} is none of ${Object.keys(programs).join(", ")}`);
  figures.push(...(await measureAgent({ ...plan, mesh, subject, program })));
}
figures.push(
  ...(await measureBareEnvoy(plan.names.length, join(mesh.folder, "bare-envoy"))),
  ...(await measureBareNode(plan.names.length, join(dist, "lib/node"))),
);

console.log(table(figures));
for (const figure of figures) console.log(jsonLine(figure));
