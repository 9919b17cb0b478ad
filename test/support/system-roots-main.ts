/** A workload's certificate from a CA that only the operating system's roots vouch for; they are the test's own here. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { TestCa } from "./ca.ts";
import { identityOptions } from "./identity-options.ts";
import { answerAsProgram } from "./namespaced-program.ts";
import { runManager } from "./running-manager.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export interface SystemRootsReport {
  /** Before the root was among them. */
  readonly refusal: string;
  readonly spiffeId: string;
}

async function run(): Promise<SystemRootsReport> {
  using folder = temporaryFolder();
  await using ca = await TestCa.listen();
  const tls = { rootCertificatePath: "SYSTEM", serverName: "localhost" };
  await using running = runManager(identityOptions(folder.path, ca, { tls }));
  const refusal = await running.problem("CA_UNTRUSTED");
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", "/etc/ssl"]);
  mkdirSync("/etc/ssl/certs");
  writeFileSync("/etc/ssl/certs/ca-certificates.crt", ca.pki.rootPem);
  const { spiffeId } = await running.secret();
  return { refusal, spiffeId };
}

await answerAsProgram(run);
