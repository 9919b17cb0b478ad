/** The agent's figures. */
import { sleep } from "../../src/lifecycle/sleep.ts";
import type { TestMesh } from "../support/mesh.ts";
import type { Program } from "../support/outrider.ts";
import type { Figure } from "./figure.ts";
import { cpuMsOf, type Memory, memoryOf } from "./procfs.ts";
import { startSidecar, type TimedSidecar } from "./start.ts";

export interface AgentMeasurement {
  readonly mesh: TestMesh;
  readonly subject: string;
  readonly program: Program;
  /** A sidecar for each run. */
  readonly names: readonly string[];
  readonly restMs: number;
  readonly idleMs: number;
}

interface Run extends TimedSidecar {
  readonly memory: Memory;
}

/** What the release should not exceed. */
const aims = { envoyExecMs: 100, readyMs: 350, rss: 60, anonymous: 18, idle: 0.1 } as const;

export async function measureAgent(measurement: AgentMeasurement): Promise<readonly Figure[]> {
  const { mesh, subject, program, names, restMs } = measurement;
  const runs: Run[] = [];
  for (const name of names) {
    const timed = await startSidecar(mesh, name, program);
    await using agent = timed.sidecar.agent;
    await sleep(restMs);
    runs.push({ ...timed, memory: memoryOf(agent.pid) });
  }
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
      "exec to ready",
      "ms",
      runs.map(({ readyMs }) => readyMs),
      aims.readyMs,
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
