/** Envoy's worker threads by the processor time of the agent's own cgroup, which the kernel enforces. */
import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { cpusOf } from "../../src/process/cpu-share.ts";
import { type CpuCgroup, makeCpuCgroup } from "../support/cpu-cgroup.ts";
import { testEnvoy } from "../support/envoy.ts";
import { runOutrider } from "../support/outrider.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const { available } = cpusOf();

function cgroupOf(cpus: number, t: TestContext): CpuCgroup | undefined {
  const cgroup = makeCpuCgroup(cpus);
  if (!("reason" in cgroup)) return cgroup;
  assert.notEqual(process.env["CI"], "true", cgroup.reason);
  t.skip(cgroup.reason);
  return undefined;
}

/** The worker threads that a start in the cgroup would give Envoy; undefined leaves them to Envoy. */
async function plannedConcurrency(
  cgroup: CpuCgroup,
  env: Readonly<Record<string, string>> = {},
): Promise<number | undefined> {
  using folder = temporaryFolder();
  const { output } = await runOutrider({
    launcher: cgroup.launcher,
    args: ["plan", "--json"],
    cwd: folder.path,
    env: { ENVOY_PATH: await testEnvoy(), INSTANCE_IP: "127.0.0.1", ...env },
    withinMs: 60_000,
  });
  const { argv } = JSON.parse(output) as { readonly argv: readonly string[] };
  const at = argv.indexOf("--concurrency");
  return at < 0 ? undefined : Number(argv[at + 1]);
}

describe("in a cgroup with a CPU quota", () => {
  test("Envoy gets as many workers, rounded up, unless something stronger says another number", async (t) => {
    using cgroup = cgroupOf(1.5, t);
    if (cgroup === undefined) return;
    const [own, limit] = await Promise.all([
      plannedConcurrency(cgroup),
      plannedConcurrency(cgroup, { ISTIO_CPU_LIMIT: "3" }),
    ]);
    assert.deepEqual([own, limit], [Math.min(2, available), 3]);
  });
});
