/** What a sidecar costs before outrider does anything: an Envoy, and a Node.js. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { spawnChild } from "../../src/process/child.ts";
import { testEnvoy } from "../support/envoy.ts";
import type { Figure } from "./figure.ts";
import { type Memory, memoryOf } from "./procfs.ts";
import { answers } from "./start.ts";

/** An Envoy with nothing but its admin socket, from exec until it is ready. */
export async function measureBareEnvoy(runs: number, folder: string): Promise<readonly Figure[]> {
  mkdirSync(folder, { recursive: true });
  const [path, bootstrap] = [join(folder, "admin.sock"), join(folder, "envoy.json")];
  writeFileSync(bootstrap, JSON.stringify({ admin: { address: { pipe: { path } } } }));
  const file = await testEnvoy();
  const args = ["-c", bootstrap, "--disable-hot-restart", "--concurrency", "1", "-l", "off"];
  const values: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const started = performance.now();
    const envoy = spawnChild({ file, args, stdout: "ignore", stderr: "ignore" });
    try {
      await answers({ path }, "/ready");
      values.push(performance.now() - started);
    } finally {
      envoy.kill("SIGKILL");
      await envoy.exited;
    }
  }
  return [{ name: "exec to ready", unit: "ms", subject: "bare Envoy", values }];
}

/** `node -e`: from exec to the first line of a script, and the memory of a process that waits. */
export async function measureBareNode(runs: number, file: string): Promise<readonly Figure[]> {
  const script = "console.log('here'); setInterval(() => {}, 1e6)";
  const starts: number[] = [];
  const memories: Memory[] = [];
  for (let run = 0; run < runs; run += 1) {
    const { promise: here, resolve } = Promise.withResolvers<string>();
    const started = performance.now();
    const node = spawnChild({ file, args: ["-e", script], stdout: resolve, stderr: "ignore" });
    try {
      await here;
      starts.push(performance.now() - started);
      memories.push(memoryOf(node.pid ?? 0));
    } finally {
      node.kill("SIGKILL");
      await node.exited;
    }
  }
  const subject = "bare Node.js";
  return [
    { name: "exec to first line", unit: "ms", subject, values: starts },
    { name: "RSS at rest", unit: "MiB", subject, values: memories.map(({ rss }) => rss) },
    { name: "PSS at rest", unit: "MiB", subject, values: memories.map(({ pss }) => pss) },
    {
      name: "anonymous memory at rest",
      unit: "MiB",
      subject,
      values: memories.map(({ anonymous }) => anonymous),
    },
  ];
}
