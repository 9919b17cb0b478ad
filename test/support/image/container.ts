/** A container under runc(8), as a kubelet's runtime starts it. */
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Child, type ChildExit, spawnChild } from "../../../src/process/child.ts";
import { errorMessage } from "../../../src/lifecycle/error-message.ts";
import { eventually } from "../eventually.ts";
import { defaultSeccomp } from "./seccomp.ts";

const run = promisify(execFile);

/** A volume, or a folder or file of the node. */
export interface Mount {
  readonly destination: string;
  /** Undefined for an emptyDir in memory. */
  readonly source?: string;
  readonly isReadOnly?: boolean;
}

export interface ContainerOptions {
  /** Unique on the machine. */
  readonly id: string;
  /** For the bundle, and runc's own state. */
  readonly folder: string;
  readonly rootfs: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** User and group. */
  readonly user: number;
  readonly cwd: string;
  readonly capabilities?: readonly string[];
  readonly isReadOnly: boolean;
  readonly mounts: readonly Mount[];
  /** Path of the pod's network namespace. */
  readonly network: string;
  /** Path of the pod's PID namespace; undefined makes one, of which this container is PID 1. */
  readonly pids?: string;
  readonly memoryBytes?: number;
  /** Processors' share. */
  readonly cpus?: number;
}

export interface Container extends AsyncDisposable {
  readonly id: string;
  /** Just before runc's start, in milliseconds of this process's clock. */
  readonly startedAt: number;
  readonly exited: Promise<ChildExit>;
  readonly lines: readonly string[];
  /** Of its first process, as the node sees it. */
  pid(): Promise<number>;
  /** Run a program beside it, as a probe or a hook: its code and output. */
  exec(...words: readonly string[]): Promise<{ readonly code: number; readonly output: string }>;
  kill(signal: "SIGTERM" | "SIGKILL"): void;
  /** A file of its cgroup of this controller, version 1 or 2. */
  cgroupFile(controller: "memory" | "cpu" | "cpuacct", name: string): string | undefined;
}

const memory = "nosuid nodev mode=1777";

/** As every runtime mounts it. */
const systemMounts = [
  { destination: "/proc", type: "proc", source: "proc" },
  {
    ...{ destination: "/dev", type: "tmpfs", source: "tmpfs" },
    options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
  },
  {
    ...{ destination: "/dev/pts", type: "devpts", source: "devpts" },
    options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"],
  },
  {
    ...{ destination: "/dev/shm", type: "tmpfs", source: "shm" },
    options: ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
  },
  { destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"] },
  {
    ...{ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup" },
    options: ["nosuid", "noexec", "nodev", "relatime", "ro"],
  },
];

const maskedPaths = ["acpi", "asound", "kcore", "keys", "latency_stats", "timer_list", "sched_debug", "scsi"];
const readonlyPaths = ["bus", "fs", "irq", "sys", "sysrq-trigger"];

function toMount({ destination, source, isReadOnly }: Mount): object {
  return source === undefined
    ? { destination, type: "tmpfs", source: "tmpfs", options: memory.split(" ") }
    : { destination, type: "bind", source, options: ["rbind", isReadOnly === false ? "rw" : "ro"] };
}

/** Of the runtime specification: https://github.com/opencontainers/runtime-spec */
function specification(options: ContainerOptions): object {
  const { user, capabilities = [], memoryBytes, cpus } = options;
  const seccomp = defaultSeccomp(capabilities);
  return {
    ociVersion: "1.0.2",
    hostname: options.id,
    root: { path: options.rootfs, readonly: options.isReadOnly },
    process: {
      user: { uid: user, gid: user },
      cwd: options.cwd,
      args: options.args,
      env: Object.entries({ PATH: "/usr/local/bin:/usr/bin:/usr/sbin", ...options.env }).map(
        ([name, value]) => `${name}=${value}`,
      ),
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      noNewPrivileges: true,
    },
    mounts: [...systemMounts, ...options.mounts.map(toMount)],
    linux: {
      cgroupsPath: `/outrider-image-test/${options.id}`,
      resources: {
        ...(memoryBytes === undefined ? {} : { memory: { limit: memoryBytes } }),
        ...(cpus === undefined ? {} : { cpu: { quota: Math.round(cpus * 100_000), period: 100_000 } }),
      },
      namespaces: [
        { type: "pid", ...(options.pids === undefined ? {} : { path: options.pids }) },
        { type: "network", path: options.network },
        ...[{ type: "ipc" }, { type: "uts" }, { type: "mount" }],
      ],
      maskedPaths: maskedPaths.map((name) => `/proc/${name}`),
      readonlyPaths: readonlyPaths.map((name) => `/proc/${name}`),
      ...(seccomp === undefined ? {} : { seccomp }),
    },
  };
}

/** Start it; disposing kills and removes it. */
export function startContainer(options: ContainerOptions): Container {
  const { id } = options;
  const bundle = join(options.folder, id);
  mkdirSync(bundle, { recursive: true });
  writeFileSync(join(bundle, "config.json"), JSON.stringify(specification(options)));
  const runc = ["--root", join(options.folder, "runc")];
  const lines: string[] = [];
  const onLine = (line: string): void => {
    lines.push(line);
  };
  const startedAt = performance.now();
  const child: Child = spawnChild({
    file: "runc",
    args: [...runc, "run", "--bundle", bundle, id],
    stdout: onLine,
    stderr: onLine,
  });
  const state = (): { readonly pid: number; readonly status: string } =>
    JSON.parse(
      execFileSync("runc", [...runc, "state", id], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }),
    ) as { pid: number; status: string };
  const signal = (name: string): void => {
    try {
      execFileSync("runc", [...runc, "kill", id, name], { stdio: "pipe" });
    } catch (error) {
      // It has ended by itself.
      onLine(`runc kill: ${errorMessage(error)}`);
    }
  };
  const runs = (): Promise<number> =>
    eventually(
      `${id} runs`,
      () => {
        const { pid, status } = state();
        if (status !== "running") throw new Error(`it is ${status}:\n${lines.join("\n")}`);
        return pid;
      },
      { withinMs: 10_000 },
    );
  return {
    ...{ id, startedAt, lines },
    exited: child.exited,
    pid: runs,
    exec: async (...words) => {
      try {
        const { stdout } = await run("runc", [...runc, "exec", id, ...words], { timeout: 60_000 });
        return { code: 0, output: stdout };
      } catch (error) {
        const {
          code = -1,
          stdout = "",
          stderr = "",
        } = error as {
          code?: number;
          stdout?: string;
          stderr?: string;
        };
        return { code, output: `${stdout}${stderr}` };
      }
    },
    kill: signal,
    cgroupFile: (controller, name) => readCgroup(id, controller, name),
    async [Symbol.asyncDispose]() {
      // What runc has not made yet cannot be killed, and would stay for good.
      await Promise.race([runs(), child.exited]).catch(() => undefined);
      signal("SIGKILL");
      await child.exited;
    },
  };
}

function readCgroup(id: string, controller: string, name: string): string | undefined {
  for (const mount of [controller, ""]) {
    try {
      return readFileSync(join("/sys/fs/cgroup", mount, "outrider-image-test", id, name), "utf8").trim();
    } catch {
      // The other version's place.
    }
  }
  return undefined;
}
