/**
 * `node shared-state-main.ts FOLDER OWN OTHER ROUNDS`: opens a new state folder in each round, at the moment when the
 * other process does, and prints what it found there.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openSelfSignedCa } from "../../src/controlplane/ca/material.ts";
import { openTokenIssuer } from "../../src/controlplane/demo-tokens.ts";

const [folder = "", own = "", other = "", rounds = "1"] = process.argv.slice(2);
const deadline = Date.now() + 60_000;

for (let round = 0; round < Number(rounds); round += 1) {
  writeFileSync(join(folder, `${round}-${own}`), "");
  // Not a wait but a spin: both are to go on in the same millisecond.
  while (!existsSync(join(folder, `${round}-${other}`)))
    if (Date.now() > deadline) throw new Error(`${other} did not come`);
  const stateDir = join(folder, `state-${round}`);
  const { jwks } = await openTokenIssuer(stateDir);
  const { rootPem } = await (await openSelfSignedCa(stateDir, "cluster.local")).read();
  process.stdout.write(`${JSON.stringify({ jwks, rootPem })}\n`);
}
