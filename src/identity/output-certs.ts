/**
 * The certificate as files for applications that do their own TLS (Istio's OUTPUT_CERTS), with word to them.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../lifecycle/atomic-file.ts";
import { type ChildExit, spawnChild } from "../lifecycle/child.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { makeFolder } from "../lifecycle/folder.ts";
import { sleep } from "../lifecycle/sleep.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import type { Logger } from "../telemetry/log.ts";
import type { IdentityState } from "./identity-state.ts";
import type { WorkloadSecret } from "./workload-secret.ts";

/** Where to, and who is told. */
export interface OutputCertsOptions {
  /** Undefined writes no files. */
  readonly folder: string | undefined;
  /** Mode of the files: 0600, or 0644 in Kubernetes, where the application has another uid. */
  readonly mode: number;
  /** Command and arguments that run after each certificate; undefined runs none. */
  readonly onRotate: readonly string[] | undefined;
}

/** Longest run of the command, in milliseconds. */
const commandTimeoutMs = 30_000;

/** Between two tries to write, in milliseconds: a full disk may get room again. */
const retryMs = 10_000;

/** Write the files and run the command for each secret, until `signal` aborts. */
export async function outputCerts(
  options: OutputCertsOptions,
  state: ReadonlyWatch<IdentityState>,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  let done: WorkloadSecret | undefined;
  for await (const { secret } of state.changes(signal)) {
    if (secret === undefined || secret === done) continue;
    const isWritten = await writeUntilDone(options, state, log, signal);
    if (!isWritten) continue;
    done = secret;
    if (options.onRotate !== undefined) await runCommand(options.onRotate, secret, log, signal);
  }
}

/** False when the end came first. */
async function writeUntilDone(
  { folder, mode }: OutputCertsOptions,
  state: ReadonlyWatch<IdentityState>,
  log: Logger,
  signal: AbortSignal,
): Promise<boolean> {
  for (let failures = 0; !signal.aborted; failures += 1) {
    const { secret } = state.current;
    if (folder === undefined || secret === undefined) return true;
    try {
      writeFiles(secret, folder, mode);
      log.info("certificate written", { folder, serial: secret.serial });
      return true;
    } catch (error) {
      const fields = {
        folder,
        reason: errorMessage(error),
        remedy: "mount a writable volume there, or name another folder in OUTPUT_CERTS",
      };
      if (failures === 0) log.warn("the certificate is not written; trying again", fields);
      else log.debug("the certificate is still not written", fields);
      await sleep(retryMs, signal);
    }
  }
  return false;
}

/** Only what changed, each file whole: key first, so that whoever waits for the chain finds its key. */
function writeFiles(secret: WorkloadSecret, folder: string, mode: number): void {
  makeFolder(folder, 0o755);
  for (const [name, content] of [
    ["key.pem", secret.privateKeyPem],
    ["cert-chain.pem", secret.certificateChainPem],
    ["root-cert.pem", secret.rootPem],
  ] as const) {
    const path = join(folder, name);
    if (existsSync(path) && readFileSync(path, "utf8") === content) continue;
    writeFileAtomic(path, content, mode);
  }
}

async function runCommand(
  [file = "", ...args]: readonly string[],
  { serial }: WorkloadSecret,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const lines: string[] = [];
  const onLine = (line: string): void => {
    if (lines.length < 20) lines.push(line);
  };
  const settled = new AbortController();
  try {
    const child = spawnChild({ file, args, stdout: onLine, stderr: onLine });
    const limit = sleep(commandTimeoutMs, AbortSignal.any([signal, settled.signal])).then(() => undefined);
    const inTime = await Promise.race([child.exited, limit]);
    if (inTime === undefined) child.kill("SIGKILL");
    const exit = inTime ?? (await child.exited);
    if (exit.kind === "exited" && exit.code === 0) {
      log.info("the command after a rotation has run", { file, serial });
    } else {
      log.warn("the command after a rotation failed", {
        file,
        reason: describeExit(exit, inTime === undefined),
        output: lines.join("\n"),
      });
    }
  } finally {
    settled.abort();
  }
}

function describeExit(exit: ChildExit, isLate: boolean): string {
  if (isLate) return `it ran for more than ${commandTimeoutMs / 1_000} s`;
  switch (exit.kind) {
    case "exited":
      return `exit code ${exit.code}`;
    case "signaled":
      return exit.signal;
    case "not-started":
      return exit.message;
  }
}
