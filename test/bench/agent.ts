/** The agent's figures. */
import { sleep } from "../../src/lifecycle/sleep.ts";
import type { TestMesh } from "../support/mesh.ts";
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
  readonly everythingSet: TimedSidecar;
}

/** What the release should not exceed. */
const aims = { envoyExecMs: 100, readyMs: 350, rss: 60, anonymous: 18, idle: 0.1, moreMs: 10 } as const;

export async function measureAgent(measurement: AgentMeasurement): Promise<readonly Figure[]> {
  const { mesh, subject, program, names, restMs, patienceMs } = measurement;
  const runs: Run[] = [];
  let busy = 0;
  await using cloud = await startMetadataService();
  await warmUp(measurement);
  for (const name of names) {
    if (!(await machineIsQuiet(patienceMs))) busy += 1;
    const timed = await startSidecar(mesh, name, program);
    await using agent = timed.sidecar.agent;
    const cpuMs = cpuMsOf(agent.pid);
    await sleep(restMs);
    const memory = memoryOf(agent.pid);
    await agent[Symbol.asyncDispose]();
    const loaded = await startSidecar(mesh, name, program, everythingSet(cloud.address));
    await loaded.sidecar.agent[Symbol.asyncDispose]();
    runs.push({ ...timed, cpuMs, memory, everythingSet: loaded });
  }
  if (busy > 0) console.log(`${busy} starts of ${subject} beside other work: their times say little`);
  const idle = await measureIdle(measurement);
  const figure = (name: string, unit: Figure["unit"], values: readonly number[], aim?: number): Figure => ({
    name,
    unit,
    subject,
    values,
    ...(aim === undefined || subject !== "release" ? {} : { aim }),
  });
  return [
    figure(
      "exec to exec of Envoy",
      "ms",
      runs.map(({ envoyExecMs }) => envoyExecMs),
      aims.envoyExecMs,
    ),
    figure(
      "exec to exec of Envoy, everything set",
      "ms",
      runs.map(({ everythingSet: { envoyExecMs } }) => envoyExecMs),
    ),
    figure(
      "of which for what is set",
      "ms",
      runs.map(({ everythingSet, envoyExecMs }) => everythingSet.envoyExecMs - envoyExecMs),
      aims.moreMs,
    ),
    figure(
      "processor time to exec of Envoy",
      "ms",
      runs.map(({ envoyExecCpuMs }) => envoyExecCpuMs),
    ),
    figure(
      "processor time to exec of Envoy, everything set",
      "ms",
      runs.map(({ everythingSet: { envoyExecCpuMs } }) => envoyExecCpuMs),
    ),
    figure(
      "exec to ready",
      "ms",
      runs.map(({ readyMs }) => readyMs),
      aims.readyMs,
    ),
    figure(
      "processor time to ready",
      "ms",
      runs.map(({ cpuMs }) => cpuMs),
    ),
    figure(
      "RSS at rest",
      "MiB",
      runs.map(({ memory }) => memory.rss),
      aims.rss,
    ),
    figure(
      "PSS at rest",
      "MiB",
      runs.map(({ memory }) => memory.pss),
    ),
    figure(
      "anonymous memory at rest",
      "MiB",
      runs.map(({ memory }) => memory.anonymous),
      aims.anonymous,
    ),
    figure("processor time at rest", "%", idle, aims.idle),
  ];
}

/** One start that does not count: it brings the files into the page cache. */
async function warmUp({ mesh, program, names }: AgentMeasurement): Promise<void> {
  const { sidecar } = await startSidecar(mesh, names[0] ?? "web0", program);
  await sidecar.agent[Symbol.asyncDispose]();
}

/** Share of one processor that each of the agents takes, in percent. */
async function measureIdle(measurement: AgentMeasurement): Promise<readonly number[]> {
  const { mesh, program, names, restMs, idleMs } = measurement;
  await using stack = new AsyncDisposableStack();
  const agents: TimedSidecar["sidecar"]["agent"][] = [];
  for (const name of names) {
    const { sidecar } = await startSidecar(mesh, name, program);
    agents.push(stack.use(sidecar.agent));
  }
  await sleep(restMs);
  const before = agents.map(({ pid }) => cpuMsOf(pid));
  const started = performance.now();
  await sleep(idleMs);
  const elapsed = performance.now() - started;
  return agents.map(({ pid }, index) => ((cpuMsOf(pid) - (before[index] ?? 0)) / elapsed) * 100);
}
