/** Incidents of the machine: memory, processor, disk. */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { makeCpuCgroup } from "../support/cpu-cgroup.ts";
import { makeMemoryCgroup } from "../support/memory-cgroup.ts";
import { type Incident, isReady } from "./incident.ts";
import { emptyMesh } from "./settings.ts";

/** Takes 8 MiB with each line of its standard input. */
const eater = `const kept = []; process.stdin.on("data", (text) => {
  for (const _ of text.toString().trim().split("\\n")) kept.push(Buffer.alloc(2 ** 23, 1));
});`;

export const machineIncidents: readonly Incident[] = [
  {
    name: "CPU throttling",
    signs: {
      status: /^problem .*cpu-throttled.*periods \(\d+ %\)/,
      log: /a problem has come up.*cause=cpu-throttled/,
      metric: /^outrider_problem_seconds\{.*cause="cpu-throttled"/,
      doctor: /^▲ cpu.*throttled/,
    },
    open: async (stack) => {
      const mesh = await emptyMesh(stack);
      const cgroup = makeCpuCgroup(2);
      if ("reason" in cgroup) throw new Error(cgroup.reason);
      stack.use(cgroup);
      const sidecar = await mesh.sidecar("web", { launcher: cgroup.launcher });
      stack.defer(async () => {
        cgroup.limit(2);
        sidecar.agent.kill("SIGTERM");
        await sidecar.agent.exited;
      });
      await sidecar.ready();
      return {
        sidecar: () => sidecar,
        breakIt: async () => {
          cgroup.limit(0.04);
        },
        mend: async () => {
          cgroup.limit(2);
        },
      };
    },
  },
  {
    name: "OOM",
    signs: {
      status: /OOM killer/,
      log: /OOM killer/,
      metric: /^outrider_envoy_exits_total\{.*reason="oom_kill".*\} [1-9]/,
      doctor: /^▲ envoy-oom-kill .*OOM killer/,
    },
    open: async (stack) => {
      const mesh = await emptyMesh(stack);
      const cgroup = makeMemoryCgroup(400 * 2 ** 20);
      if ("reason" in cgroup) throw new Error(cgroup.reason);
      stack.use(cgroup);
      const sidecar = await mesh.sidecar("web", { launcher: cgroup.launcher });
      stack.defer(async () => {
        sidecar.agent.kill("SIGTERM");
        await sidecar.agent.exited;
      });
      await sidecar.ready();
      const { pid = 0 } = (await sidecar.report()).envoy;
      writeFileSync(`/proc/${pid}/oom_score_adj`, "1000");
      const words = [...cgroup.launcher.slice(1), process.execPath, "-e", eater];
      const hog = spawn(cgroup.launcher[0] ?? "", words, { stdio: ["pipe", "ignore", "inherit"] });
      hog.stdin.on("error", () => undefined);
      const exited = new Promise((resolve) => hog.once("exit", resolve));
      const end = async (): Promise<void> => {
        hog.kill("SIGKILL");
        await exited;
      };
      stack.defer(end);
      return {
        sidecar: () => sidecar,
        breakIt: async () => {
          for (let step = 0; step < 60; step += 1) {
            const report = await sidecar.report().catch(() => undefined);
            if (report?.envoy.pid !== pid) return;
            hog.stdin.write("more\n");
            // What is taken after the kill would cost the next one.
            await sleep(150);
          }
        },
        mend: end,
        isWell: () => isReady(sidecar),
      };
    },
  },
  {
    name: "disk full",
    signs: {
      status: /^problem .*disk-full.*KiB left/,
      log: /a problem has come up.*cause=disk-full/,
      metric: /^outrider_problem_seconds\{.*cause="disk-full"/,
      doctor: /^▲ disk-full .*KiB left/,
    },
    open: async (stack) => {
      const mesh = await emptyMesh(stack);
      const folder = join(mesh.folder, "web/etc/istio/proxy");
      mkdirSync(folder, { recursive: true });
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs", folder]);
      stack.defer(() => {
        execFileSync("umount", ["--lazy", folder]);
      });
      const sidecar = await mesh.sidecar("web");
      await sidecar.ready();
      const filler = join(folder, "filler");
      return {
        sidecar: () => sidecar,
        breakIt: async () => {
          try {
            for (;;) writeFileSync(filler, Buffer.alloc(4_096), { flag: "a" });
          } catch {
            // It is full.
          }
        },
        mend: async () => {
          rmSync(filler);
        },
      };
    },
  },
];
