/** From exec of the release to the first secret on its socket. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../../support/eventually.ts";
import type { TestMesh } from "../../support/mesh.ts";
import type { Program } from "../../support/outrider.ts";
import { fetchPrivateKey } from "../../support/sds-client.ts";
import type { Figure } from "../figure.ts";
import { machineIsQuiet } from "../quiet.ts";

const socket = "var/run/secrets/workload-spiffe-uds/socket";
const patienceMs = 20_000;

const keys = [
  { name: "RSA-2048", env: {}, aim: 200 },
  { name: "ECDSA P-256", env: { ECC_SIGNATURE_ALGORITHM: "ECDSA" }, aim: 150 },
] as const;

export async function measureFirstSecret(
  mesh: TestMesh,
  release: Program,
  runs: number,
): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const { name, env, aim } of keys) {
    const values: number[] = [];
    // One that does not count brings the files into the page cache.
    for (let run = -1; run < runs; run += 1) {
      await machineIsQuiet(patienceMs);
      rmSync(join(mesh.folder, "web"), { recursive: true, force: true });
      const sidecar = await mesh.sidecar("web", { program: release, env });
      await using agent = sidecar.agent;
      const path = join(sidecar.folder, socket);
      await eventually("the first secret", () => fetchPrivateKey(path), { withinMs: 30_000, everyMs: 2 });
      const now = performance.timeOrigin + performance.now();
      if (run >= 0) values.push(now - agent.startedAt);
    }
    figures.push({ name: `exec to first secret, ${name}`, unit: "ms", subject: "release", values, aim });
  }
  return figures;
}
