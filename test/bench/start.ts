/** Starts that are timed from their first exec. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { fetchHttp, type HttpRequest } from "../../src/net/http-client.ts";
import { testEnvoy } from "../support/envoy.ts";
import { type SidecarChanges, startMs, type TestMesh, type TestSidecar } from "../support/mesh.ts";
import type { Program } from "../support/outrider.ts";

/** Between two questions whether a process is ready, in milliseconds. */
const pollMs = 5;

/** A sidecar that serves, and how long that took. */
export interface TimedSidecar {
  readonly sidecar: TestSidecar;
  /** From exec of the agent to exec of Envoy. */
  readonly envoyExecMs: number;
  /** Time on a processor of the agent's main thread until then: says more where others work too. */
  readonly envoyExecCpuMs: number;
  /** From exec of the agent until the status port answers 200. */
  readonly readyMs: number;
}

/** Start a sidecar of `program` in the mesh. */
export async function startSidecar(
  mesh: TestMesh,
  name: string,
  program: Program,
  changes: SidecarChanges = {},
): Promise<TimedSidecar> {
  rmSync(join(mesh.folder, name), { recursive: true, force: true });
  const stamp = join(mesh.folder, "envoy-exec");
  rmSync(stamp, { force: true });
  const envoy = await stampingEnvoy(join(mesh.folder, `envoy-of-${name}`), stamp);
  const { proxyConfig } = changes;
  const sidecar = await mesh.sidecar(name, {
    ...changes,
    program,
    env: { ...changes.env, ENVOY_PATH: envoy },
    // Another agent is told there.
    ...(proxyConfig?.["binaryPath"] === undefined
      ? {}
      : { proxyConfig: { ...proxyConfig, binaryPath: envoy } }),
  });
  await answers({ host: "127.0.0.1", port: sidecar.ports.status }, "/healthz/ready");
  const readyAt = performance.timeOrigin + performance.now();
  const [seconds, nanoseconds] = readFileSync(stamp, "utf8").split(" ").map(Number);
  const { startedAt } = sidecar.agent;
  return {
    sidecar,
    readyMs: readyAt - startedAt,
    envoyExecMs: (seconds ?? 0) * 1_000 - startedAt,
    envoyExecCpuMs: (nanoseconds ?? 0) / 1e6,
  };
}

/**
 * A program that writes the time and what the agent has used, and becomes Envoy: its own start, 2 ms, counts against
 * the agent. Each sidecar has
 * its own, as those that run would take a newly written one for another Envoy and swap to it.
 */
async function stampingEnvoy(path: string, stamp: string): Promise<string> {
  const script = [
    "#!/bin/bash",
    "now=$EPOCHREALTIME",
    'read -r used _ < "/proc/$PPID/schedstat"',
    `echo "$now $used" > '${stamp}'`,
    `exec '${await testEnvoy()}' "$@"`,
  ];
  writeFileSync(path, `${script.join("\n")}\n`, { mode: 0o755 });
  return path;
}

/** Ask again and again until the answer is 200. */
export async function answers(target: HttpRequest["target"], url: string): Promise<void> {
  const deadline = performance.now() + startMs;
  while (performance.now() < deadline) {
    const status = await fetchHttp({ target, url, timeoutMs: startMs }).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    await sleep(pollMs);
  }
  throw new Error(`${JSON.stringify(target)} does not become ready`);
}
