/**
 * Envoy's own check of a bootstrap, before anything is started from it (`--mode validate`).
 *
 * It has no side effects and asks neither SDS nor the control plane, so a valid bootstrap may still fail to serve.
 */
import { join } from "node:path";
import { writeFileAtomic } from "../../files/atomic-file.ts";
import { makeFolder } from "../../files/folder.ts";
import { makeOwnFolder, removeFromOwnFolder } from "../../files/own-folder.ts";
import { type Child, type ChildExit, spawnChild } from "../../process/child.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import { envoyArguments } from "../generation/arguments.ts";
import { bootstrapFor, type PreparedLaunch, restingSocketPath } from "../generation/launch.ts";

/** Envoy's verdict. */
export type Validation =
  | { readonly kind: "valid" }
  | { readonly kind: "invalid"; readonly exit: ChildExit; readonly lines: readonly string[] }
  /** `complaint` is the shell's, to which execvp(3) hands what the kernel cannot run. */
  | { readonly kind: "not-a-program"; readonly complaint: string }
  | { readonly kind: "no-answer"; readonly afterMs: number };

const candidateName = "candidate";

/** Validation takes 0.2 s; a large static configuration on a throttled CPU takes longer. In milliseconds. */
const deadlineMs = 30_000;

/**
 * Check `launch` with its own binary.
 *
 * @throws FolderNotOursError, or the system error when the bootstrap cannot be written
 */
export async function validate(launch: PreparedLaunch, cancel: AbortSignal): Promise<Validation> {
  const generations = join(launch.options.configPath, "generations");
  const folder = join(generations, candidateName);
  makeOwnFolder(generations);
  try {
    removeFromOwnFolder(generations, [candidateName]);
    makeFolder(folder, 0o700);
    const path = join(folder, "envoy.json");
    writeFileAtomic(path, bootstrapFor(launch, restingSocketPath(launch.options.configPath)));
    return await run(launch, path, cancel);
  } finally {
    removeFromOwnFolder(generations, [candidateName]);
  }
}

/**
 * The hot restart version of a binary (`--hot-restart-version`).
 *
 * @throws Error when it does not tell, or when `cancel` aborts
 */
export async function hotRestartVersion(binary: string, cancel: AbortSignal): Promise<string> {
  const lines: string[] = [];
  const onLine = (line: string): void => {
    lines.push(line);
  };
  // Envoy 1.40 says it on its standard error.
  const child = spawnChild({ file: binary, args: ["--hot-restart-version"], stdout: onLine, stderr: onLine });
  const exit = await exitWithin(child, deadlineMs, cancel);
  const version = lines.findLast((line) => /^\d+\.\d+$/.test(line.trim()))?.trim();
  if (exit?.kind !== "exited" || exit.code !== 0 || version === undefined) {
    throw new Error(`${binary} does not tell its hot restart version`);
  }
  return version;
}

async function run(launch: PreparedLaunch, path: string, cancel: AbortSignal): Promise<Validation> {
  const lines: string[] = [];
  const child = spawnChild({
    file: launch.binary,
    args: ["--mode", "validate", ...envoyArguments(launch.options, path, { kind: "alone" })],
    stdout: "ignore",
    stderr: (line) => lines.push(line),
  });
  const exit = await exitWithin(child, deadlineMs, cancel);
  if (exit === undefined) return { kind: "no-answer", afterMs: deadlineMs };
  if (exit.kind === "exited" && exit.code === 0) return { kind: "valid" };
  const complaint = lines.find((line) => isShellComplaint(launch.binary, line));
  return complaint === undefined ? { kind: "invalid", exit, lines } : { kind: "not-a-program", complaint };
}

/** `/path/of/envoy: 1: word: not found`; bash says `line 1`. */
function isShellComplaint(binary: string, line: string): boolean {
  return line.startsWith(`${binary}: `) && /^(?:line )?\d+: /.test(line.slice(binary.length + 2));
}

/** From a child's end to the last of its output, which something that it has started may hold, in milliseconds. */
const lastWordsMs = 100;

/** The child's end, with all that it said; undefined when it had to be killed, with all that it had started. */
async function exitWithin(child: Child, ms: number, cancel: AbortSignal): Promise<ChildExit | undefined> {
  const limit = new AbortController();
  const exit = await Promise.race([
    child.exited,
    sleep(ms, AbortSignal.any([limit.signal, cancel])).then(() => undefined),
  ]);
  if (exit === undefined) {
    child.killGroup("SIGKILL");
    await child.exited;
  } else {
    await Promise.race([child.closed, sleep(lastWordsMs, limit.signal)]);
  }
  limit.abort();
  child.closeOutput();
  return exit;
}
