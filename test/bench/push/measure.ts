/**
 * What changes of one mesh cost each of several control planes that run beside one another. They are asked in turn, change by
 * change, so that what else the machine does meets all of them alike.
 */
import { join } from "node:path";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import type { Figure } from "../figure.ts";
import { type Part, startPart } from "../part.ts";
import { cpuMsOf, memoryOf } from "../procfs.ts";
import {
  changedService,
  type MadeMesh,
  markers,
  usualNamespaces,
  writeMesh,
  writeService,
  writeVirtualService,
} from "./mesh.ts";
import type { Plane, Subject } from "./plane.ts";

export interface Scene {
  readonly subjects: readonly Subject[];
  readonly protocol: string;
  readonly sidecars: number;
  /** As `clients.ts` names it. */
  readonly behaviour: string;
  readonly changes: number;
  /** For so long a file changes each 50 ms, and the last change is waited for; 0 for never. */
  readonly burstMs: number;
  readonly mesh: Omit<MadeMesh, "folder">;
}

/** Longest that a change may take, in milliseconds. */
const patienceMs = 300_000;

/** After the last acknowledgement a control plane may go on with what nobody waits for, in milliseconds. */
const settleMs = 500;

/** Time to give back what was needed for a moment, in milliseconds. */
const restMs = 5_000;

const now = (): number => performance.timeOrigin + performance.now();

type Unit = Figure["unit"];

/** A control plane with its mesh and, once they are there, its sidecars. */
class Measured {
  readonly plane: Plane;
  readonly mesh: MadeMesh;
  clients: Part | undefined;
  readonly #subject: string;
  readonly #values = new Map<string, { unit: Unit; values: number[] }>();

  constructor(subject: string, plane: Plane, mesh: MadeMesh) {
    this.#subject = subject;
    this.plane = plane;
    this.mesh = mesh;
  }

  add(name: string, unit: Unit, value: number): void {
    const figure = this.#values.get(name) ?? { unit, values: [] };
    figure.values.push(value);
    this.#values.set(name, figure);
  }

  addMemory(when: string): void {
    this.add(`RSS ${when}`, "MiB", memoryOf(this.plane.pid).rss);
  }

  /** Nothing that happened before counts. */
  async forgetStalls(): Promise<void> {
    this.plane.longestStall();
    await this.plane.longestTurn();
  }

  /** How long others had to wait since `forgetStalls`. */
  async addStalls(when: string): Promise<void> {
    this.add(`${when}, /ready at its longest`, "ms", this.plane.longestStall());
    const turn = await this.plane.longestTurn();
    if (turn !== undefined) this.add(`${when}, the longest turn`, "ms", turn);
  }

  /** The numbers after the first words of the newest line of the sidecars that begins so. */
  async line(...words: readonly string[]): Promise<readonly number[]> {
    const prefix = `${words.join(" ")} `;
    const lines = this.clients?.lines ?? [];
    for (const until = performance.now() + patienceMs; performance.now() < until;) {
      const line = lines.find((each) => each.startsWith(prefix));
      if (line !== undefined) return line.slice(prefix.length).split(" ").map(Number);
      await sleep(5);
    }
    throw new Error(`nothing begins with "${prefix}": ${lines.slice(-5).join("; ")}`);
  }

  figures(scene: string): readonly Figure[] {
    return [...this.#values].map(([name, { unit, values }]) => ({
      name: `${scene}: ${name}`,
      unit,
      subject: this.#subject,
      values,
    }));
  }
}

const kinds = [
  {
    name: "an endpoint",
    marker: markers.address,
    write: (mesh: MadeMesh, marker: string): void => {
      writeService(mesh, changedService.address, marker);
    },
  },
  {
    name: "a VirtualService",
    marker: markers.route,
    write: (mesh: MadeMesh, marker: string): void => {
      writeVirtualService(mesh, changedService.route, marker);
    },
  },
] as const;

export async function measure(scene: Scene): Promise<readonly Figure[]> {
  const { subjects, protocol, sidecars, behaviour, changes, burstMs } = scene;
  await using stack = new AsyncDisposableStack();
  const all: Measured[] = [];
  for (const subject of subjects) {
    const folder = stack.use(temporaryFolder()).path;
    const mesh = { ...scene.mesh, folder: subject.configDir(folder) };
    writeMesh(mesh);
    const startedAt = performance.now();
    const plane = stack.use(await subject.start(folder));
    const one = new Measured(subject.name, plane, mesh);
    one.add("started", "ms", performance.now() - startedAt);
    all.push(one);
  }
  await sleep(restMs);
  for (const one of all) one.add("started, processor time", "ms", cpuMsOf(one.plane.pid));
  {
    await using connected = new AsyncDisposableStack();
    for (const one of all) {
      one.addMemory("with nobody connected");
      await one.forgetStalls();
      const script = join(import.meta.dirname, "clients.ts");
      const { namespaces = usualNamespaces, isScoped = false } = scene.mesh;
      const clients = [one.plane.address, protocol, String(sidecars), behaviour, String(namespaces)];
      if (isScoped) clients.push("scoped");
      const cpuBefore = cpuMsOf(one.plane.pid);
      one.clients = connected.use(await startPart(script, clients));
      const [startedAt = 0] = await one.line("started");
      const [connectedAt = 0] = await one.line("connected");
      one.add("all connected", "ms", connectedAt - startedAt);
      await sleep(settleMs);
      one.add("all connected, processor time", "ms", cpuMsOf(one.plane.pid) - cpuBefore);
      await one.addStalls("while they connect");
    }
    await sleep(restMs);
    for (const one of all) one.addMemory("when all are connected");
    for (const { name, marker, write } of kinds)
      for (let change = 0; change < changes; change += 1)
        for (const one of all) await measureChange(one, name, marker(change), write);
    if (burstMs > 0) for (const one of all) await measureBurst(one, burstMs, changes);
    await sleep(restMs);
    for (const one of all) one.addMemory(`after ${2 * changes} changes`);
  }
  await sleep(restMs);
  for (const one of all) one.addMemory("5 s after all are gone");
  const told = `${protocol}, ${sidecars} sidecars`;
  return all.flatMap((one) => one.figures(told));
}

async function measureChange(
  one: Measured,
  name: string,
  marker: string,
  write: (mesh: MadeMesh, marker: string) => void,
): Promise<void> {
  const { plane, mesh } = one;
  const cpuBefore = cpuMsOf(plane.pid);
  await one.forgetStalls();
  const changedAt = now();
  write(mesh, marker);
  const [seenAt = 0, bytes = 0] = await one.line("seen", marker);
  await sleep(settleMs);
  one.add(`${name} changed, until the last has it`, "ms", seenAt - changedAt);
  one.add(`${name} changed, processor time`, "ms", cpuMsOf(plane.pid) - cpuBefore);
  one.add(`${name} changed, sent`, "MiB", bytes / 1_048_576);
  await one.addStalls(`${name} changed`);
}

/** A file that changes all the time. @param first number of the first change */
async function measureBurst(one: Measured, burstMs: number, first: number): Promise<void> {
  const { plane, mesh } = one;
  const [startedAt, cpuBefore] = [performance.now(), cpuMsOf(plane.pid)];
  await one.forgetStalls();
  let change = first;
  while (performance.now() - startedAt < burstMs) {
    writeService(mesh, changedService.address, markers.address(change));
    change += 1;
    await sleep(50);
  }
  const last = markers.address(change);
  const changedAt = now();
  writeService(mesh, changedService.address, last);
  const [seenAt = 0] = await one.line("seen", last);
  const spentMs = performance.now() - startedAt;
  one.add("a change each 50 ms, the last until the last has it", "ms", seenAt - changedAt);
  one.add("a change each 50 ms, processor time", "%", (100 * (cpuMsOf(plane.pid) - cpuBefore)) / spentMs);
  await one.addStalls("a change each 50 ms");
}
