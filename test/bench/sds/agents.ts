/** Whole agents that serve a mounted certificate: what streams and rotations cost each of them. */
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createCertificateRequest } from "../../../src/pki/certificate-request.ts";
import { type TestPki, validity } from "../../support/test-pki.ts";
import type { Program } from "../../support/outrider.ts";
import type { Figure } from "../figure.ts";
import { Notes } from "../notes.ts";
import { startLoneAgent } from "../other-agent.ts";
import { measureRotation, measureStreams, type Rotator } from "./measure.ts";

const mounted = "var/run/secrets/workload-spiffe-credentials";

/** Nobody listens there: the control plane is no part of this. */
const nowhere = "127.0.0.1:9";

const identity = "spiffe://cluster.local/ns/demo/sa/web";

/**
 * Streams and rotations of each agent in turns, `runs` times, each time in a process of its own.
 *
 * @param agents by their names
 */
export async function measureAgents(
  agents: Readonly<Record<string, Program>>,
  pki: TestPki,
  folder: string,
  runs: number,
): Promise<readonly Figure[]> {
  const notes = new Notes();
  for (let run = 0; run < runs; run += 1) {
    for (const [name, program] of Object.entries(agents)) {
      const own = join(folder, `${name.replaceAll(" ", "-")}-${run}`);
      const pairs = [await pair(pki), await pair(pki)] as const;
      const root = "var/run/secrets/istio/root-cert.pem";
      const files = {
        ...{ [root]: pki.rootPem, [`${mounted}/root-cert.pem`]: pki.rootPem },
        ...Object.fromEntries(Object.entries(pairs[0]).map(([file, text]) => [`${mounted}/${file}`, text])),
      };
      // Istio's agent looks for the root elsewhere when the certificate is mounted.
      const env = { XDS_ROOT_CA: `./${root}` };
      await using agent = await startLoneAgent(program, own, nowhere, files, env);
      let rotations = 0;
      const rotator = (): Rotator => ({
        rotate: () => {
          rotations += 1;
          for (const [file, text] of Object.entries(pairs[rotations % 2] ?? {}))
            replace(join(own, mounted, file), text);
        },
        [Symbol.dispose]: () => undefined,
      });
      const subject = { name, socket: agent.sdsPath, pid: agent.pid, rotator };
      notes.addAll(await measureStreams(subject, 1_000, 1));
      notes.addAll(await measureRotation(subject, 500, 3));
    }
  }
  return notes.figures;
}

/** A certificate and its key, by the names of their files. */
async function pair(pki: TestPki): Promise<Readonly<Record<string, string>>> {
  const key = { algorithm: "ECDSA", curve: "P256" } as const;
  const { privateKeyPem, requestPem } = await createCertificateRequest(key, identity);
  const certificatePem = await pki.sign(requestPem, validity(-60_000, 3_600_000), identity);
  return { "key.pem": privateKeyPem, "cert-chain.pem": `${certificatePem}\n${pki.rootPem}\n` };
}

function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
