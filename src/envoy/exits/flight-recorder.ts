/**
 * The flight recorder: what the last Envoys were started with, said, and died of, kept on disk so that it outlives
 * them and the agent.
 *
 * It never fails the supervisor and never makes it wait: work is queued, and a full disk is one line of the log.
 * Secrets are taken out before anything is written.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { makeOwnFolder, removeFromOwnFolder } from "../../files/own-folder.ts";
import { storeOwnFile } from "../../files/own-handle.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import type { Logger } from "../../telemetry/log.ts";
import { redactText } from "../../telemetry/redact.ts";
import { redactDocument } from "../../telemetry/redact-json.ts";
import { snapshotAdmin } from "./admin-snapshot.ts";
import type { ExitDiagnosis } from "./exit-diagnosis.ts";

/** Where and how much. */
export interface FlightRecorderOptions {
  /** Made with mode 0700; one folder per Envoy in it. */
  readonly folder: string;
  readonly log: Logger;
  /** Known values that are secrets, such as the token; asked for anew at each use. */
  readonly secrets?: () => readonly string[];
  /** Envoys that are kept, 5 unless told. */
  readonly keep?: number;
  /** Bytes that all records may take together, 16 MiB unless told. The oldest go first. */
  readonly maxBytes?: number;
}

/** What an Envoy is started with. */
export interface GenerationFacts {
  readonly number: number;
  readonly pid: number | undefined;
  readonly startedAt: Date;
  readonly binary: string;
  readonly args: readonly string[];
  /** The bootstrap, as JSON text. */
  readonly bootstrap: string;
  /** Whatever else is worth keeping: why it was started, the swap mode, versions. */
  readonly notes?: Readonly<Record<string, string | number | boolean>>;
}

/** When a snapshot was taken; a later one of the same occasion replaces the earlier one. */
export type SnapshotOccasion = "live" | "drain" | "hang" | "request";

/** Longest output that is kept, in characters: its begin says what Envoy refused, and its end what it died of. */
const maxOutput = { begin: 32 * 1024, end: 128 * 1024 } as const;
/** Longest page of Envoy's admin that is asked for, in bytes. */
const maxPage = 16 * 2 ** 20;
/** Largest compressed page that is kept, in bytes. */
const maxStoredPage = 512 * 1024;
/** Longest wait for one page, in milliseconds. */
const pageTimeoutMs = 2_000;

/** Time of the start and number: sorted by name, records are sorted by age. */
const recordName = /^\d{8}T\d{9}Z-\d+$/;

/** Writes records. Dispose it to wait until they are on disk. */
export class FlightRecorder implements AsyncDisposable {
  readonly #options: Required<FlightRecorderOptions>;
  /** Records of Envoys that have not ended, by number. */
  readonly #open = new Map<number, string>();
  #queue: Promise<void> = Promise.resolve();
  #failing = false;

  /** Nothing is written until an Envoy starts. */
  constructor(options: FlightRecorderOptions) {
    this.#options = { secrets: () => [], keep: 5, maxBytes: 16 * 2 ** 20, ...options };
  }

  /** An Envoy was started. Returns at once. */
  started(facts: GenerationFacts): void {
    const name = `${facts.startedAt.toISOString().replaceAll(/[-:.]/g, "")}-${facts.number}`;
    this.#open.set(facts.number, name);
    const { bootstrap, ...others } = facts;
    this.#enqueue(async () => {
      const started = { ...others, startedAt: facts.startedAt.toISOString(), args: facts.args };
      await this.#write(name, "start.json", redactDocument(JSON.stringify(started), this.#options.secrets()));
      await this.#write(name, "bootstrap.json", redactDocument(bootstrap, this.#options.secrets()));
      await this.#prune();
    });
  }

  /**
   * Keep what the admin interface of Envoy `number` shows now. Resolves when it was asked, which nobody has to
   * wait for: after a few seconds at most. Never rejects.
   */
  async snapshot(
    number: number,
    admin: { readonly socketPath: string },
    occasion: SnapshotOccasion,
  ): Promise<void> {
    const name = this.#open.get(number);
    if (name === undefined) return;
    try {
      const limits = { maxBytes: maxPage, timeoutMs: pageTimeoutMs, secrets: this.#options.secrets() };
      const missing: string[] = [];
      for await (const page of snapshotAdmin({ path: admin.socketPath }, limits)) {
        const problem =
          page.kind === "missing"
            ? page.reason
            : this.#store(name, `${occasion}-${page.file}.gz`, await promisify(gzip)(page.text));
        if (problem !== undefined) missing.push(`${page.file}: ${problem}\n`);
      }
      this.#enqueue(async () => {
        if (missing.length > 0) await this.#write(name, `${occasion}-missing.txt`, missing.join(""));
        await this.#prune();
      });
    } catch (error) {
      this.#complain(error);
    }
  }

  /** Returns why it is not kept. */
  #store(name: string, file: string, content: Buffer): string | undefined {
    if (content.length > maxStoredPage) return `${content.length} bytes, compressed, are too many to keep`;
    this.#enqueue(() => this.#write(name, file, content));
    return undefined;
  }

  /** An Envoy ended. Returns at once; of many `lines` the begin and the end are kept. */
  ended(number: number, diagnosis: ExitDiagnosis, lines: readonly string[]): void {
    const name = this.#open.get(number);
    if (name === undefined) return;
    this.#open.delete(number);
    const endedAt = new Date().toISOString();
    this.#enqueue(async () => {
      const secrets = this.#options.secrets();
      await this.#write(
        name,
        "exit.json",
        redactDocument(JSON.stringify({ endedAt, ...diagnosis }), secrets),
      );
      // One by one: a key whose end was cut off takes everything after it along.
      const output = beginAndEnd(lines.join("\n")).map((part) => redactText(part, secrets));
      await this.#write(name, "output.log", `${output.join("\n")}\n`);
      await this.#prune();
    });
  }

  /** Resolves when everything so far is on disk, or has failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue;
  }

  #enqueue(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(async () => {
      try {
        await nextTurn();
        await work();
        this.#failing = false;
      } catch (error) {
        this.#complain(error);
      }
    });
  }

  /** A trouble that lasts is told once. */
  #complain(error: unknown): void {
    const { folder, log } = this.#options;
    if (!this.#failing) log.warn("the flight recorder cannot write", { folder, reason: errorMessage(error) });
    this.#failing = true;
  }

  async #write(name: string, file: string, content: string | Uint8Array): Promise<void> {
    makeOwnFolder(this.#options.folder);
    const folder = join(this.#options.folder, name);
    makeOwnFolder(folder);
    await storeOwnFile(join(folder, file), (handle) => handle.writeFile(content));
  }

  /** Remove the oldest records, those of running Envoys left out. */
  async #prune(): Promise<void> {
    const { folder, keep, maxBytes } = this.#options;
    const names = (await readdir(folder)).filter((name) => recordName.test(name)).toSorted();
    const records = await Promise.all(
      names.map(async (name) => ({ name, bytes: await sizeOf(join(folder, name)) })),
    );
    const running = new Set(this.#open.values());
    removeFromOwnFolder(folder, recordsToRemove(records, { keep, maxBytes, running }));
  }
}

/** Whole lines where there are any: half a secret is not known as one. */
function beginAndEnd(text: string): readonly string[] {
  if (text.length <= maxOutput.begin + maxOutput.end) return [text];
  const lastOfBegin = text.lastIndexOf("\n", maxOutput.begin);
  const to = lastOfBegin < 0 ? maxOutput.begin : lastOfBegin;
  const from = Math.max(
    to,
    text.indexOf("\n", text.length - maxOutput.end) + 1 || text.length - maxOutput.end,
  );
  return [text.slice(0, to), `[${from - to} characters left out]`, text.slice(from)];
}

async function sizeOf(folder: string): Promise<number> {
  let total = 0;
  for (const file of await readdir(folder)) total += (await stat(join(folder, file))).size;
  return total;
}

/** Which records go: the oldest beyond `keep` or `maxBytes`, never one of a running Envoy nor the last one. */
export function recordsToRemove(
  records: readonly { readonly name: string; readonly bytes: number }[],
  limits: { readonly keep: number; readonly maxBytes: number; readonly running: ReadonlySet<string> },
): readonly string[] {
  let count = records.length;
  let bytes = records.reduce((total, record) => total + record.bytes, 0);
  const removed: string[] = [];
  for (const record of records.slice(0, -1)) {
    if (count <= limits.keep && bytes <= limits.maxBytes) break;
    if (limits.running.has(record.name)) continue;
    removed.push(record.name);
    count -= 1;
    bytes -= record.bytes;
  }
  return removed;
}
