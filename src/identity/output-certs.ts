/**
 * The certificate as files for applications that do their own TLS (Istio's OUTPUT_CERTS), with word to them.
 */
import { statSync } from "node:fs";
import { join } from "node:path";
import { writeFilesAtomic } from "../files/atomic-file.ts";
import type { Backoff } from "../lifecycle/backoff.ts";
import { type ChildExit, spawnChild } from "../process/child.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { makeFolder } from "../files/folder.ts";
import { readOwnText, readRegularText } from "../files/read-regular-file.ts";
import { retrying } from "../lifecycle/retry.ts";
import { sleep } from "../lifecycle/sleep.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import type { Logger } from "../telemetry/log.ts";
import type { CounterMetric } from "../telemetry/metrics.ts";
import type { IdentityState } from "./identity-state.ts";
import type { IdentityDependencies } from "./secret-store.ts";
import type { WorkloadSecret } from "./workload-secret.ts";

/** Where to, and who is told. */
export interface OutputCertsOptions {
  /** Undefined writes no files. */
  readonly folder: string | undefined;
  /** Mode of the files: 0600, or 0644 in Kubernetes, where the application has another uid. */
  readonly mode: number;
  /** What happens after each certificate; undefined is nothing. */
  readonly onRotate: RotationNotice | undefined;
}

/** Word to an application that has read the files of an earlier certificate. */
export type RotationNotice =
  | { readonly kind: "command"; readonly file: string; readonly args: readonly string[] }
  /** To the process whose number is in this file. */
  | { readonly kind: "signal"; readonly signal: NodeJS.Signals; readonly pidFile: string };

type OutputCertsDependencies = Pick<IdentityDependencies, "log" | "metrics">;

/** Longest run of the command, in milliseconds. */
const commandTimeoutMs = 30_000;

/** Between two tries to write: a full disk may get room again. */
const backoff: Backoff = { initialMs: 1_000, multiplier: 2, maxMs: 10_000, jitter: 0.2 };

/** Write the files and run the command for each secret, until `signal` aborts. */
export async function outputCerts(
  options: OutputCertsOptions,
  state: ReadonlyWatch<IdentityState>,
  { log, metrics }: OutputCertsDependencies,
  signal: AbortSignal,
): Promise<void> {
  const failures = metrics.counter(
    "output_certs_failures_total",
    "Tries to write the certificate for applications that failed.",
  );
  let done: WorkloadSecret | undefined;
  for await (const { secret } of state.changes(signal)) {
    if (secret === undefined || secret === done) continue;
    const written = await writeUntilDone(options, state, { log, failures }, signal);
    if (written === undefined) continue;
    done = written;
    switch (options.onRotate?.kind) {
      case "command":
        await runCommand(options.onRotate, written, log, signal);
        break;
      case "signal":
        sendSignal(options.onRotate, written, log);
        break;
      case undefined:
    }
  }
}

/** The newest secret, once it is written; undefined when the end came first. */
async function writeUntilDone(
  { folder, mode }: OutputCertsOptions,
  state: ReadonlyWatch<IdentityState>,
  { log, failures: failed }: { readonly log: Logger; readonly failures: CounterMetric },
  signal: AbortSignal,
): Promise<WorkloadSecret | undefined> {
  const write = (): WorkloadSecret | undefined => {
    const { secret } = state.current;
    if (folder === undefined || secret === undefined) return secret;
    writeFiles(secret, folder, mode);
    log.info("certificate written", { folder, serial: secret.serial });
    return secret;
  };
  try {
    return await retrying(async () => Promise.resolve(write()), {
      backoff,
      signal,
      onFailure: ({ error, failures }) => {
        failed.inc();
        const fields = {
          folder,
          reason: errorMessage(error),
          remedy: "mount a writable volume with room there, or name another folder in OUTPUT_CERTS",
        };
        if (failures === 1) log.warn("the certificate is not written; trying again", fields);
        else log.debug("the certificate is still not written", fields);
      },
    });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** Only what changed, all of it or nothing: a key without its chain would be worse than the old pair. */
function writeFiles(secret: WorkloadSecret, folder: string, mode: number): void {
  makeFolder(folder, 0o755);
  const files = (
    [
      ["key.pem", secret.privateKeyPem],
      ["cert-chain.pem", secret.certificateChainPem],
      ["root-cert.pem", secret.rootPem],
    ] as const
  )
    .map(([name, content]) => ({ path: join(folder, name), content }))
    .filter(({ path, content }) => contentOf(path) !== content);
  writeFilesAtomic(files, mode);
}

/** Undefined for what is not there, is no file, or others may have written: it is replaced. */
function contentOf(path: string): string | undefined {
  try {
    return readOwnText(path);
  } catch {
    return undefined;
  }
}

/** One warning when there is nobody to tell: who starts later reads the new files anyway. */
function sendSignal(
  { signal, pidFile }: Extract<RotationNotice, { kind: "signal" }>,
  { serial }: WorkloadSecret,
  log: Logger,
): void {
  try {
    const pid = Number(readRegularText(pidFile).trim());
    // 0 and below are groups of processes, the agent's own among them.
    if (!Number.isSafeInteger(pid) || pid < 1) throw new Error("it holds no process number");
    // Whoever can write the file must not have this user, who may be root, signal anybody's process.
    const [writer, owner] = [statSync(pidFile).uid, statSync(`/proc/${pid}`).uid];
    if (writer !== 0 && writer !== owner)
      throw new Error(`user ${writer} has written it, and process ${pid} is of user ${owner}`);
    process.kill(pid, signal);
    log.info("the application was told of a rotation", { signal, pid, serial });
  } catch (error) {
    log.warn("the application was not told of a rotation", { signal, pidFile, reason: errorMessage(error) });
  }
}

/** Longest wait for output of a command that has ended, in milliseconds. */
const lastWordsMs = 500;

async function runCommand(
  { file, args }: Extract<RotationNotice, { kind: "command" }>,
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
    if (inTime === undefined) child.killGroup("SIGKILL");
    const exit = inTime ?? (await child.exited);
    // Its last words may come after its end; what it has left running does not hold this up.
    await Promise.race([child.closed, sleep(lastWordsMs, settled.signal)]);
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
