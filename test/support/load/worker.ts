/** One process of the load generator: WorkerOptions as its argument, WorkerMessages on its output, SIGTERM ends it. */
import { Http1Client } from "./http1-client.ts";
import { Http2Client } from "./http2-client.ts";
import type {
  ClientGroup,
  ClientKind,
  LoadClient,
  LoadCounts,
  RequestOutcome,
  WorkerMessage,
  WorkerOptions,
} from "./options.ts";
import { sleep } from "../../../src/lifecycle/sleep.ts";

/** HTTP/2 requests that share one connection. */
const streamsPerSession = 5;

/** Between two reports, in milliseconds. */
const reportMs = 100;

/** A client that fell behind by more than this does not catch up in a burst, in milliseconds. */
const maxDebtMs = 200;

const options = JSON.parse(process.argv[2] ?? "{}") as WorkerOptions;
const stop = new AbortController();
process.once("SIGTERM", () => {
  stop.abort();
});

const okByKind: Record<ClientKind, number> = {
  "http1-keep-alive": 0,
  "http1-new": 0,
  "http2-keep-alive": 0,
  "http2-new": 0,
};
let resent = 0;
let slowestMs = 0;
let longestSilenceMs = 0;
let lastOk = performance.now();

function say(message: WorkerMessage): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

function counts(): LoadCounts {
  return { ok: okByKind, resent, slowestMs, longestSilenceMs };
}

function record(kind: ClientKind, startedAt: number, outcome: RequestOutcome): void {
  const now = performance.now();
  if (outcome.kind === "ok") {
    okByKind[kind] += 1;
    slowestMs = Math.max(slowestMs, now - startedAt);
    longestSilenceMs = Math.max(longestSilenceMs, now - lastOk);
    lastOk = now;
    return;
  }
  say({ failure: { at: Date.now(), kind, phase: outcome.phase, detail: outcome.detail } });
}

function clientsOf({ kind, clients }: ClientGroup): LoadClient[] {
  const { target, timeoutMs } = options;
  const keepAlive = kind.endsWith("keep-alive");
  if (kind.startsWith("http1")) {
    return Array.from({ length: clients }, () => new Http1Client({ target, timeoutMs, keepAlive }));
  }
  const session = (): LoadClient =>
    new Http2Client({
      target,
      timeoutMs,
      keepAlive,
      onResent: () => {
        resent += 1;
      },
    });
  if (!keepAlive) return Array.from({ length: clients }, session);
  const sessions = Array.from({ length: Math.ceil(clients / streamsPerSession) }, session);
  return Array.from({ length: clients }, (_, index) => sessions[index % sessions.length] ?? session());
}

/** Requests at a steady pace, each after the answer to the one before. */
async function run(kind: ClientKind, client: LoadClient, intervalMs: number): Promise<void> {
  let next = performance.now() + Math.random() * intervalMs;
  while (!stop.signal.aborted) {
    const now = performance.now();
    if (next > now) await sleep(next - now, stop.signal);
    else if (now - next > maxDebtMs) next = now;
    next += intervalMs;
    if (stop.signal.aborted) break;
    const startedAt = performance.now();
    record(kind, startedAt, await client.request());
  }
}

const reports = setInterval(() => {
  say({ counts: counts() });
}, reportMs);
const groups = options.groups.map((group) => ({ group, clients: clientsOf(group) }));
await Promise.all(
  groups.flatMap(({ group, clients }) =>
    clients.map((client) => run(group.kind, client, (group.clients / group.perSecond) * 1_000)),
  ),
);
// Only now: clients share sessions, and one that is done must not cut what another has under way.
for (const { clients } of groups) for (const client of clients) client.close();
clearInterval(reports);
say({ counts: counts() });
