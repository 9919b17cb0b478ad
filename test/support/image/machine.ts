/**
 * A machine with systemd(1) as its PID 1, on the files of this one: what it writes is in memory and gone with it. Its network is
 * its own, and the repository is at /repository.
 */
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Child, spawnChild } from "../../../src/process/child.ts";
import { eventually } from "../eventually.ts";
import { initOf } from "../pid-namespace.ts";

const run = promisify(execFile);

const repository = join(import.meta.dirname, "../../..");

/** Its devices, as a container has them. */
const devices = ["null", "zero", "full", "random", "urandom", "tty"];

/** Of the machine's root, `$root`; `$folder` has room for what is written, `$2` is the repository. */
const prepare = [
  "set -e",
  "folder=$1; root=$folder/root",
  "mount --make-rprivate /",
  'mount -t tmpfs tmpfs "$folder"',
  'mkdir "$folder/upper" "$folder/work" "$root"',
  'mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$root"',
  'mount -t proc proc "$root/proc"',
  'mount -t sysfs sysfs "$root/sys"',
  'mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"',
  'for name in run dev; do mount -t tmpfs -o mode=755 tmpfs "$root/$name"; done',
  `for name in ${devices.join(" ")}; do touch "$root/dev/$name"; mount --bind "/dev/$name" "$root/dev/$name"; done`,
  'mkdir "$root/dev/shm" "$root/dev/pts"',
  'mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"',
  'ln -s pts/ptmx "$root/dev/ptmx"',
  // systemd empties /tmp, where the repository may be.
  'mkdir "$root/repository" && mount --bind "$2" "$root/repository"',
  // What this machine starts is not to be started there.
  'rm -rf "$root"/etc/systemd/system/*.wants',
  'ip link set lo up && hostname vm && echo vm > "$root/etc/hostname"',
  'exec chroot "$root" env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \\',
  "  /lib/systemd/systemd --unit=basic.target --show-status=no",
].join("\n");

export class TestMachine implements AsyncDisposable {
  readonly #child: Child;
  readonly #cgroup: string;
  readonly #lines: string[];

  private constructor(child: Child, cgroup: string, lines: string[]) {
    this.#child = child;
    this.#cgroup = cgroup;
    this.#lines = lines;
  }

  /** @param folder empty; it is covered in the machine. @throws Error with what systemd said */
  static async start(folder: string): Promise<TestMachine> {
    // systemd keeps its units' cgroups, of which version 2 is enough, below its own.
    const cgroup = join(versionTwo(), `outrider-machine-${process.pid}`);
    mkdirSync(cgroup);
    const lines: string[] = [];
    const onLine = (line: string): void => {
      lines.push(line);
    };
    const namespaces = ["--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child"];
    const child = spawnChild({
      file: "sh",
      args: [
        ...["-ec", 'echo $$ > "$0/cgroup.procs"; exec "$@"', cgroup],
        ...["unshare", ...namespaces, "sh", "-c", prepare, "sh", folder, repository],
      ],
      stdout: onLine,
      stderr: onLine,
    });
    const machine = new TestMachine(child, cgroup, lines);
    try {
      await eventually("systemd has started", () => machine.execute("systemctl is-system-running"), {
        withinMs: 60_000,
      });
      return machine;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Write a file there. */
  write(path: string, content: string | Buffer): void {
    execFileSync("nsenter", [...this.#inside(), "sh", "-c", 'mkdir -p "${0%/*}" && cat > "$0"', path], {
      input: content,
      stdio: "pipe",
    });
  }

  /** Commands of a shell, which end with the first that fails: what they print. @throws Error with it */
  async execute(...commands: readonly string[]): Promise<string> {
    try {
      const { stdout } = await run("nsenter", [...this.#inside(), "sh", "-ec", commands.join("\n")], {
        timeout: 120_000,
      });
      return stdout;
    } catch (error) {
      const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
      throw new Error([stdout, stderr, ...this.#lines].join("\n"), { cause: error });
    }
  }

  /** Words before a command line that bring it in. */
  #inside(): readonly string[] {
    const namespaces = ["--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--root", "--wdns=/"];
    const env = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"];
    return ["--target", String(initOf(this.#child.pid ?? 0)), ...namespaces, ...env];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
    await eventually(
      "its cgroups are empty",
      () => {
        removeCgroup(this.#cgroup);
      },
      { withinMs: 20_000 },
    );
  }
}

function versionTwo(): string {
  const mounts = readFileSync("/proc/self/mounts", "utf8");
  const path = /^\S+ (\S+) cgroup2 /m.exec(mounts)?.[1];
  if (path === undefined) throw new Error("no cgroups of version 2 are mounted");
  return path;
}

function removeCgroup(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeCgroup(join(folder, entry.name));
  rmdirSync(folder);
}
