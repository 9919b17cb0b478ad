/** What the epochs of plain Envoys share, seen from outside: flags, shared memory, sockets. */
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";

export interface EpochOptions {
  readonly parentShutdownSeconds: number;
  readonly skipParentStats?: boolean;
}

/** What the epochs of one hot restart lineage share; disposing removes its shared memory. */
export class HotRestartLineage implements Disposable {
  readonly baseId: number;

  constructor() {
    // Far from small ones that others set by hand. Ten times the ID must fit 31 bits: Envoy names sockets by an int.
    this.baseId = 100_000_000 + Math.floor(Math.random() * 100_000_000);
  }

  get sharedMemoryPath(): string {
    return `/dev/shm/envoy_shared_memory_${this.baseId * 10}`;
  }

  args(epoch: number, options: EpochOptions): readonly string[] {
    return [
      ...["--base-id", String(this.baseId), "--restart-epoch", String(epoch)],
      ...["--drain-time-s", "1", "--drain-strategy", "immediate"],
      ...["--parent-shutdown-time-s", String(options.parentShutdownSeconds)],
      ...(options.skipParentStats === false ? [] : ["--skip-hot-restart-parent-stats"]),
    ];
  }

  /** The byte of `flags` in the shared memory: 1 while a child initializes. */
  get initializingFlag(): number | undefined {
    const bytes = readFileSync(this.sharedMemoryPath);
    if (bytes.length !== 104) throw new Error(`the shared memory has ${bytes.length} bytes`);
    return bytes[96];
  }

  /** Clear the flag that a child left behind when it died before it was LIVE. */
  heal(): void {
    const file = openSync(this.sharedMemoryPath, "r+");
    writeSync(file, Buffer.of(0), 0, 1, 96);
    closeSync(file);
  }

  /** Abstract sockets that processes of this lineage hold. */
  get sockets(): readonly string[] {
    return readFileSync("/proc/net/unix", "utf8")
      .split("\n")
      .map((line) => line.split(" ").at(-1) ?? "")
      .filter((name) => new RegExp(`^@envoy_domain_socket_\\w+_${this.baseId}\\d@*$`).test(name))
      .map((name) => name.replace(/@+$/, ""));
  }

  [Symbol.dispose](): void {
    if (existsSync(this.sharedMemoryPath)) rmSync(this.sharedMemoryPath);
  }
}
