/**
 * The folder of bootstraps and sockets: there or makeable, writable, with room, on a file system that has sockets.
 */
import { accessSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { errorMessage } from "../lifecycle/error-message.ts";
import { formatBytes } from "./bytes.ts";
import { failure, type Finding, ok, warning } from "./finding.ts";

/** The folder as it was found. */
export interface ConfigFolder {
  readonly path: string;
  /** The folder itself, or the nearest one above it that exists: the agent makes the rest. */
  readonly existing: string;
  /** Why it cannot be written; undefined when it can. */
  readonly problem: string | undefined;
  /** `f_type` of statfs(2). */
  readonly type: number;
  readonly freeBytes: number;
  /** Infinity where the file system does not count them. */
  readonly freeInodes: number;
}

const name = "config-path";

/** Bootstraps of a few generations and the last good one. */
const neededBytes = 1_048_576;
const comfortableBytes = 16 * 1_048_576;
const neededInodes = 32;

/** Magic numbers of statfs(2). */
const fileSystems: Readonly<Record<number, string>> = {
  0x01021994: "tmpfs",
  0x794c7630: "overlayfs",
  0xef53: "ext4",
  0x58465342: "xfs",
  0x9123683e: "btrfs",
  0x2fc12fc1: "zfs",
  0x6969: "nfs",
  0x01021997: "9p",
  0x65735546: "fuse",
  0xff534d42: "cifs",
  0xfe534d42: "smb2",
};

/** Other machines may see the files of these, and Unix sockets work on few of them. */
const shared = new Set(["nfs", "9p", "fuse", "cifs", "smb2"]);

const mount =
  "mount a writable volume there (an emptyDir in Kubernetes), or set ProxyConfig configPath to another folder";

/** The gravest thing about the folder. */
export function judgeConfigPath(seen: ConfigFolder): Finding {
  const { path, existing, problem, freeBytes, freeInodes } = seen;
  const type = fileSystems[seen.type] ?? `file system 0x${seen.type.toString(16)}`;
  const where = existing === resolve(path) ? path : `${path} (to be made in ${existing})`;
  if (problem !== undefined) return failure(name, `${where} cannot be written: ${problem}`, mount);
  if (freeBytes < neededBytes || freeInodes < neededInodes) {
    const left = `${formatBytes(freeBytes)} and ${freeInodes} inodes free`;
    return failure(name, `${where} is full: ${left} on ${type}`, `make room, or ${mount}`);
  }
  if (shared.has(type)) {
    return warning(
      name,
      `${where} is on ${type}, on which Unix sockets may not work and others may write`,
      mount,
    );
  }
  if (freeBytes < comfortableBytes) {
    return warning(
      name,
      `${where} has only ${formatBytes(freeBytes)} free on ${type}`,
      `make room, or ${mount}`,
    );
  }
  return ok(name, `${where} is writable, ${formatBytes(freeBytes)} free on ${type}`);
}

/** Look, without making anything. */
export function lookAtConfigPath(path: string): ConfigFolder {
  let existing = resolve(path);
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  let problem = notAFolder(existing);
  try {
    accessSync(existing, constants.W_OK | constants.X_OK);
  } catch (error) {
    problem ??= errorMessage(error);
  }
  const { type, bavail, bsize, blocks, ffree, files } = statfsSync(existing);
  return {
    path,
    existing,
    problem,
    type,
    freeBytes: blocks === 0 ? Number.MAX_SAFE_INTEGER : bavail * bsize,
    freeInodes: files === 0 ? Infinity : ffree,
  };
}

/** Said first: a file has rights as well, but they mean something else. */
function notAFolder(path: string): string | undefined {
  return statSync(path).isDirectory() ? undefined : `${path} is not a folder`;
}
