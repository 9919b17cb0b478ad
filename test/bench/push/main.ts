/**
 * `npm run bench:push`: what a change of the configuration costs the control plane, and when the last sidecar has it.
 *
 *     node test/bench/push/main.ts [--services=1000] [--endpoints=5] [--sidecars=10,100] [--protocols=delta,sotw]
 *                                  [--changes=30] [--against=TREE] [--scoped] [--behaviour=all|refusing|stalled]
 *                                  [--burstSeconds=60]
 *
 * The control plane, the sidecars (scripted: streams that acknowledge everything) and this program are a process each.
 * Sidecars acknowledge everything, refuse everything, or half of them read nothing after their first request. With
 * `--burstSeconds` a file changes each 50 ms for so long, and the last change is waited for.
 * `--against` measures another tree's sources in the same run, as of the commit before: with its own node_modules.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { type Figure, jsonLine, table } from "../figure.ts";
import { startPart } from "../part.ts";
import { cpuMsOf, memoryOf } from "../procfs.ts";
import { type MadeMesh, markers, writeMesh, writeService, writeVirtualService } from "./mesh.ts";
import { type Plane, startPlane } from "./plane.ts";

const { values: flags } = parseArgs({
  options: {
    services: { type: "string", default: "1000" },
    endpoints: { type: "string", default: "5" },
    sidecars: { type: "string", default: "10,100" },
    protocols: { type: "string", default: "delta,sotw" },
    changes: { type: "string", default: "30" },
    against: { type: "string" },
    scoped: { type: "boolean", default: false },
    behaviour: { type: "string", default: "all" },
    burstSeconds: { type: "string", default: "0" },
  },
});

/** Longest that a change may take, in milliseconds. */
const patienceMs = 300_000;

/** After the last acknowledgement a control plane may go on with what nobody waits for, in milliseconds. */
const settleMs = 500;

const now = (): number => performance.timeOrigin + performance.now();

/** The fields after the first words of the newest line that begins so. */
async function lineOf(lines: readonly string[], ...words: readonly string[]): Promise<readonly number[]> {
  const prefix = `${words.join(" ")} `;
  for (const until = performance.now() + patienceMs; performance.now() < until;) {
    const line = lines.find((each) => each.startsWith(prefix));
    if (line !== undefined) return line.slice(prefix.length).split(" ").map(Number);
    await sleep(5);
  }
  throw new Error(`nothing begins with "${prefix}": ${lines.slice(-5).join("; ")}`);
}

interface Scene {
  readonly subject: string;
  readonly program: readonly string[];
  readonly protocol: string;
  readonly sidecars: number;
  readonly changes: number;
}

async function measure({ subject, program, protocol, sidecars, changes }: Scene): Promise<readonly Figure[]> {
  using folder = temporaryFolder();
  const mesh: MadeMesh = {
    folder: join(folder.path, "mesh"),
    services: Number(flags.services),
    endpoints: Number(flags.endpoints),
    isScoped: flags.scoped,
  };
  writeMesh(mesh);
  await using plane = await startPlane({
    program,
    configDir: mesh.folder,
    stateDir: join(folder.path, "state"),
    withinMs: 120_000,
  });
  const figures: Figure[] = [];
  const scene = `${protocol}, ${sidecars} sidecars`;
  const add = (name: string, unit: Figure["unit"], values: readonly number[]): void => {
    figures.push({ name: `${scene}: ${name}`, unit, subject, values });
  };
  add("RSS with nobody connected", "MiB", [memoryOf(plane.pid).rss]);
  plane.longestStall();
  {
    await using clients = await startPart(join(import.meta.dirname, "clients.ts"), [
      plane.address,
      protocol,
      String(sidecars),
      flags.behaviour,
    ]);
    const [startedAt = 0] = await lineOf(clients.lines, "started");
    const [connectedAt = 0] = await lineOf(clients.lines, "connected");
    add("all connected", "ms", [connectedAt - startedAt]);
    add("/ready at its longest, while they connect", "ms", [plane.longestStall()]);
    await sleep(2_000);
    add("RSS when all are connected", "MiB", [memoryOf(plane.pid).rss]);
    for (const [name, marker, write] of [
      [
        "an endpoint",
        markers.address,
        (text: string) => {
          writeService(mesh, 7, text);
        },
      ],
      [
        "a VirtualService",
        markers.route,
        (text: string) => {
          writeVirtualService(mesh, 3, text);
        },
      ],
    ] as const) {
      const made = await measureChanges(plane, clients.lines, { changes, marker, write });
      add(`${name} changed, until the last has it`, "ms", made.times);
      add(`${name} changed, processor time`, "ms", made.cpu);
      add(`${name} changed, sent`, "MiB", made.sent);
      add(`${name} changed, /ready at its longest`, "ms", made.stalls);
    }
    const burst = Number(flags.burstSeconds) * 1_000;
    if (burst > 0) {
      const made = await measureBurst(plane, clients.lines, burst, changes, (text) => {
        writeService(mesh, 7, text);
      });
      add("a change each 50 ms, the last until the last has it", "ms", [made.ms]);
      add("a change each 50 ms, processor time", "%", [made.cpuPercent]);
      add("a change each 50 ms, /ready at its longest", "ms", [plane.longestStall()]);
    }
    add(`RSS after ${2 * changes} changes`, "MiB", [memoryOf(plane.pid).rss]);
  }
  await sleep(5_000);
  add("RSS 5 s after all are gone", "MiB", [memoryOf(plane.pid).rss]);
  return figures;
}

interface Changes {
  readonly changes: number;
  readonly marker: (change: number) => string;
  readonly write: (marker: string) => void;
}

async function measureChanges(
  plane: Plane,
  lines: readonly string[],
  { changes, marker, write }: Changes,
): Promise<Readonly<Record<"times" | "cpu" | "sent" | "stalls", readonly number[]>>> {
  const made = { times: [] as number[], cpu: [] as number[], sent: [] as number[], stalls: [] as number[] };
  for (let change = 0; change < changes; change += 1) {
    const text = marker(change);
    const cpuBefore = cpuMsOf(plane.pid);
    plane.longestStall();
    const changedAt = now();
    write(text);
    const [seenAt = 0, bytes = 0] = await lineOf(lines, "seen", text);
    await sleep(settleMs);
    made.times.push(seenAt - changedAt);
    made.cpu.push(cpuMsOf(plane.pid) - cpuBefore);
    made.sent.push(bytes / 1_048_576);
    made.stalls.push(plane.longestStall());
  }
  return made;
}

/** A file that changes all the time. @param first number of the first change */
async function measureBurst(
  plane: Plane,
  lines: readonly string[],
  burstMs: number,
  first: number,
  write: (marker: string) => void,
): Promise<{ readonly ms: number; readonly cpuPercent: number }> {
  const [startedAt, cpuBefore] = [performance.now(), cpuMsOf(plane.pid)];
  let change = first;
  while (performance.now() - startedAt < burstMs) {
    write(markers.address(change));
    change += 1;
    await sleep(50);
  }
  const last = markers.address(change);
  const changedAt = now();
  write(last);
  const [seenAt = 0] = await lineOf(lines, "seen", last);
  const cpuPercent = (100 * (cpuMsOf(plane.pid) - cpuBefore)) / (performance.now() - startedAt);
  return { ms: seenAt - changedAt, cpuPercent };
}

const main = "src/main.ts";
const subjects: readonly (readonly [subject: string, program: readonly string[]])[] = [
  ["outrider", [process.execPath, join(import.meta.dirname, "../../..", main)]],
  ...(flags.against === undefined
    ? []
    : [["before", [process.execPath, join(flags.against, main)]] as const]),
];
const figures: Figure[] = [];
for (const protocol of flags.protocols.split(","))
  for (const sidecars of flags.sidecars.split(",").map(Number))
    for (const [subject, program] of subjects)
      figures.push(
        ...(await measure({ subject, program, protocol, sidecars, changes: Number(flags.changes) })),
      );

console.log(table(figures));
for (const figure of figures) console.log(jsonLine(figure));
