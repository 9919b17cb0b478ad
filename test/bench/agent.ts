/** The agent's figures. */
import { sleep } from "../../src/lifecycle/sleep.ts";
import type { SidecarChanges, TestMesh } from "../support/mesh.ts";
import type { Program } from "../support/outrider.ts";
import { everythingSet, startMetadataService } from "./everything-set.ts";
import type { Figure } from "./figure.ts";
import { cpuMsOf, type Memory, memoryOf } from "./procfs.ts";
import { machineIsQuiet } from "./quiet.ts";
import { startSidecar, type TimedSidecar } from "./start.ts";

export interface AgentMeasurement {
  readonly mesh: TestMesh;
  readonly subject: string;
  readonly program: Program;
  /** What its sidecars need over the mesh's own; undefined where they take everything that ours take. */
  readonly changes: (() => Promise<SidecarChanges>) | undefined;
  /** A sidecar for each run. */
  readonly names: readonly string[];
  readonly restMs: number;
  readonly idleMs: number;
  /** Longest wait for a quiet machine before each start. */
  readonly patienceMs: number;
}

interface Run extends TimedSidecar {
  readonly memory: Memory;
  /** Of the agent, until it was ready. */
  readonly cpuMs: number;
  /** Of another sidecar that has everything set, started right after. */
  readonly everythingSet: TimedSidecar | undefined;
}

/** What the release should not exceed. */
const aims = { envoyExecMs: 100, readyMs: 350, rss: 60, anonymous: 18, idle: 0.1, moreMs: 10 } as const;

/** One start. */
export async function measureStart(measurement: AgentMeasurement, name: string): Promise<readonly Figure[]> {
  const { mesh, subject, program, changes, restMs, patienceMs } = measurement;
  if (!(await machineIsQuiet(patienceMs)))
    console.log(`a start of ${subject} beside other work: its times say little`);
  await using cloud = await startMetadataService();
  const timed = await startSidecar(mesh, name, program, await changes?.());
  await using agent = timed.sidecar.agent;
  const cpuMs = cpuMsOf(agent.pid);
  await sleep(restMs);
  const memory = memoryOf(agent.pid);
  await agent[Symbol.asyncDispose]();
  if (changes !== undefined) return figuresOf(subject, { ...timed, cpuMs, memory, everythingSet: undefined });
  const loaded = await startSidecar(mesh, name, program, everythingSet(cloud.address));
  await loaded.sidecar.agent[Symbol.asyncDispose]();
  return figuresOf(subject, { ...timed, cpuMs, memory, everythingSet: loaded });
}

function figuresOf(subject: string, run: Run): readonly Figure[] {
  const { envoyExecMs, envoyExecCpuMs, readyMs, cpuMs, memory, everythingSet: loaded } = run;
  const figure = (name: string, unit: Figure["unit"], value: number, aim?: number): Figure =>
    figureOf(subject, name, unit, [value], aim);
  return [
    figure("exec to exec of Envoy", "ms", envoyExecMs, aims.envoyExecMs),
    ...(loaded === undefined
      ? []
      : [
          figure("exec to exec of Envoy, everything set", "ms", loaded.envoyExecMs),
          figure("of which for what is set", "ms", loaded.envoyExecMs - envoyExecMs, aims.moreMs),
          figure("processor time to exec of Envoy, everything set", "ms", loaded.envoyExecCpuMs),
        ]),
    figure("processor time to exec of Envoy", "ms", envoyExecCpuMs),
    figure("exec to ready", "ms", readyMs, aims.readyMs),
    figure("processor time to ready", "ms", cpuMs),
    figure("RSS at rest", "MiB", memory.rss, aims.rss),
    figure("PSS at rest", "MiB", memory.pss),
    figure("anonymous memory at rest", "MiB", memory.anonymous, aims.anonymous),
  ];
}

/** Only the release has aims. */
function figureOf(
  subject: string,
  name: string,
  unit: Figure["unit"],
  values: readonly number[],
  aim: number | undefined,
): Figure {
  return { name, unit, subject, values, ...(aim === undefined || subject !== "release" ? {} : { aim }) };
}

/** One start that does not count: it brings the files into the page cache. */
export async function warmUp({ mesh, program, changes, names }: AgentMeasurement): Promise<void> {
  const { sidecar } = await startSidecar(mesh, names[0] ?? "web0", program, await changes?.());
  await sidecar.agent[Symbol.asyncDispose]();
}

/** Share of one processor that each of the agents takes, in percent. */
export async function measureIdle(measurement: AgentMeasurement): Promise<readonly Figure[]> {
  const { mesh, subject, program, changes, names, restMs, idleMs } = measurement;
  await using stack = new AsyncDisposableStack();
  const agents: TimedSidecar["sidecar"]["agent"][] = [];
  for (const name of names) {
    const { sidecar } = await startSidecar(mesh, name, program, await changes?.());
    agents.push(stack.use(sidecar.agent));
  }
  await sleep(restMs);
  const before = agents.map(({ pid }) => cpuMsOf(pid));
  const started = performance.now();
  await sleep(idleMs);
  const elapsed = performance.now() - started;
  const shares = agents.map(({ pid }, index) => ((cpuMsOf(pid) - (before[index] ?? 0)) / elapsed) * 100);
  return [figureOf(subject, "processor time at rest", "%", shares, aims.idle)];
}
