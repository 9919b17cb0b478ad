/** Load from processes of its own, so that neither the test's event loop nor the generator's disturbs the other. */
import { join } from "node:path";
import { type Child, spawnChild } from "../../../src/process/child.ts";
import { eventually } from "../eventually.ts";
import type {
  ClientGroup,
  ClientKind,
  LoadCounts,
  LoadFailure,
  LoadTarget,
  WorkerMessage,
  WorkerOptions,
} from "./options.ts";

const workerPath = join(import.meta.dirname, "worker.ts");

export interface LoadOptions {
  /** 127.0.0.1 unless given. */
  readonly host?: string;
  readonly port: number;
  /** The command line that runs a module: as this Node.js does, unless given. */
  readonly run?: (...words: readonly string[]) => readonly string[];
  readonly path?: string;
  /** The Host header; the address unless given. */
  readonly authority?: string;
  /** Requests per second of all kinds together; unless `groups` are given. */
  readonly perSecond?: number;
  readonly groups?: readonly ClientGroup[];
  /** Longest exchange, in milliseconds. */
  readonly timeoutMs?: number;
}

export interface LoadResult {
  readonly total: number;
  readonly ok: number;
  readonly okByKind: Readonly<Record<ClientKind, number>>;
  /** Everything that failed, but for `raced`. */
  readonly failures: readonly LoadFailure[];
  /** Requests lost to the race between an idle connection's close and the next request on it. */
  readonly raced: readonly LoadFailure[];
  /** HTTP/2 requests sent again because a GOAWAY proved them unprocessed. */
  readonly resent: number;
  readonly slowestMs: number;
  readonly longestSilenceMs: number;
}

export interface LoadGenerator extends AsyncDisposable {
  /** Requests with an outcome so far. */
  readonly total: () => number;
  /** All so far, those lost to the keep-alive race included. */
  readonly failures: readonly LoadFailure[];
  /** Let the requests under way end, then resolve to everything. */
  stop(): Promise<LoadResult>;
}

/** All four kinds of client, most of them on kept connections. */
export function mixedGroups(perSecond: number): readonly ClientGroup[] {
  return [
    { kind: "http1-keep-alive", clients: 40, perSecond: perSecond * 0.45 },
    { kind: "http1-new", clients: 20, perSecond: perSecond * 0.25 },
    { kind: "http2-keep-alive", clients: 20, perSecond: perSecond * 0.2 },
    { kind: "http2-new", clients: 10, perSecond: perSecond * 0.1 },
  ];
}

/** Start it; resolves once every worker has had an answer. */
export async function startLoadGenerator(options: LoadOptions): Promise<LoadGenerator> {
  const groups = options.groups ?? mixedGroups(options.perSecond ?? 2_500);
  const { host = "127.0.0.1", port, run = (...words) => [process.execPath, ...words] } = options;
  const target: LoadTarget = {
    host,
    port,
    path: options.path ?? "/",
    authority: options.authority ?? `${host}:${port}`,
  };
  const byProtocol = ["http1", "http2"].map((protocol) =>
    groups.filter(({ kind }) => kind.startsWith(protocol)),
  );
  const failures: LoadFailure[] = [];
  const workers = byProtocol
    .filter((own) => own.length > 0)
    .map((own) => startWorker({ target, groups: own, timeoutMs: options.timeoutMs ?? 5_000 }, run, failures));
  const stop = async (): Promise<LoadResult> => {
    for (const { child } of workers) child.kill("SIGTERM");
    const exits = await Promise.all(workers.map(({ child }) => child.exited));
    for (const exit of exits) {
      if (exit.kind !== "exited" || exit.code !== 0)
        throw new Error(`the load generator ended: ${JSON.stringify(exit)}`);
    }
    await Promise.all(workers.map(({ child }) => child.closed));
    return sum(
      workers.map(({ counts }) => counts()),
      failures,
    );
  };
  try {
    await eventually(
      "an answer to each worker",
      () => {
        for (const { counts } of workers)
          if (okOf(counts()) === 0) throw new Error(JSON.stringify(failures[0]));
      },
      { withinMs: 10_000 },
    );
  } catch (error) {
    for (const { child } of workers) child.kill("SIGKILL");
    throw error;
  }
  return {
    failures,
    total: () => failures.length + workers.reduce((total, { counts }) => total + okOf(counts()), 0),
    stop,
    async [Symbol.asyncDispose]() {
      for (const { child } of workers) child.kill("SIGKILL");
      await Promise.all(workers.map(({ child }) => child.exited));
    },
  };
}

interface Worker {
  readonly child: Child;
  readonly counts: () => LoadCounts | undefined;
}

function startWorker(
  options: WorkerOptions,
  run: Required<LoadOptions>["run"],
  failures: LoadFailure[],
): Worker {
  let counts: LoadCounts | undefined;
  const [file = "", ...args] = run(workerPath, JSON.stringify(options));
  const child = spawnChild({
    file,
    args,
    stdout: (line) => {
      const message = JSON.parse(line) as WorkerMessage;
      if ("failure" in message) failures.push(message.failure);
      else ({ counts } = message);
    },
    stderr: "inherit",
  });
  return { child, counts: () => counts };
}

function okOf(counts: LoadCounts | undefined): number {
  return Object.values(counts?.ok ?? {}).reduce((total, count) => total + count, 0);
}

function sum(all: readonly (LoadCounts | undefined)[], failures: readonly LoadFailure[]): LoadResult {
  const counts = all.filter((one) => one !== undefined);
  const okByKind = { "http1-keep-alive": 0, "http1-new": 0, "http2-keep-alive": 0, "http2-new": 0 };
  for (const { ok } of counts) {
    for (const [kind, count] of Object.entries(ok) as [ClientKind, number][]) okByKind[kind] += count;
  }
  const ok = Object.values(okByKind).reduce((total, count) => total + count, 0);
  return {
    total: ok + failures.length,
    ok,
    okByKind,
    failures: failures.filter(({ phase }) => phase !== "keep-alive-race"),
    raced: failures.filter(({ phase }) => phase === "keep-alive-race"),
    resent: counts.reduce((total, one) => total + one.resent, 0),
    slowestMs: Math.max(...counts.map((one) => one.slowestMs)),
    longestSilenceMs: Math.max(...counts.map((one) => one.longestSilenceMs)),
  };
}

/** One line for the reader of a failed test: how many failed of how many, in which phases, the first of them. */
export function describeLoad(result: LoadResult): string {
  const phases = Map.groupBy(
    [...result.failures, ...result.raced],
    ({ kind, phase, detail }) => `${kind} ${phase}: ${detail}`,
  );
  const lines = [...phases].map(([what, all]) => {
    const first = new Date(all[0]?.at ?? 0).toISOString();
    const last = new Date(all.at(-1)?.at ?? 0).toISOString();
    return `  ${all.length} × ${what} (${first} to ${last})`;
  });
  return [
    `${result.failures.length} of ${result.total} requests failed, ${result.raced.length} lost to the keep-alive race, ${result.resent} sent again after GOAWAY, slowest ${Math.round(result.slowestMs)} ms, longest silence ${Math.round(result.longestSilenceMs)} ms`,
    ...lines,
  ].join("\n");
}
