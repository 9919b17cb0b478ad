/**
 * Names as the agent resolves them (getaddrinfo(3)), in a process of its own: the call cannot be cancelled, and a
 * process does not end while one is under way.
 */
import { isIP } from "node:net";
import { env as ownEnvironment, execPath } from "node:process";
import { describeExit } from "../envoy/exits/exit.ts";
import { spawnChild } from "../process/child.ts";
import { endOf } from "../process/child-end.ts";
import type { Resolution } from "./dns.ts";

/** Resolves every host; those without an answer when `signal` aborts are `silent`. Never rejects. */
export async function resolveHosts(
  hosts: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Resolution>> {
  const results = new Map<string, Resolution>();
  for (const host of hosts) {
    if (isIP(host) !== 0) results.set(host, { kind: "resolved", addresses: [host], tookMs: 0 });
  }
  const names = hosts.filter((host) => !results.has(host));
  if (names.length === 0) return results;
  const started = performance.now();
  let lastWords = "";
  const child = spawnChild({
    // Not the program that starts a release: that takes no script.
    file: execPath,
    args: ["-e", script, "--", ...names],
    env: ownEnvironment,
    stdout: (line) => {
      const { host, ...answer } = JSON.parse(line) as Answer;
      results.set(host, resolutionOf(answer));
    },
    stderr: (line) => {
      lastWords = line.trim() === "" ? lastWords : line.trim();
    },
  });
  const exit = await endOf(child, signal);
  const tookMs = Math.round(performance.now() - started);
  for (const host of names) {
    if (results.has(host)) continue;
    const code = `the resolving process ${describeExit(exit)}: ${lastWords}`;
    results.set(host, signal.aborted ? { kind: "silent", tookMs } : { kind: "failed", code, tookMs });
  }
  return results;
}

interface Answer {
  readonly host: string;
  readonly tookMs: number;
  readonly code?: string;
  readonly addresses?: readonly string[];
}

function resolutionOf({ tookMs, code, addresses }: Omit<Answer, "host">): Resolution {
  if (addresses !== undefined) return { kind: "resolved", addresses, tookMs };
  return { kind: "failed", code: code ?? "unknown error", tookMs };
}

const script = `
const { lookup } = require("node:dns");
for (const host of process.argv.slice(1)) {
  const started = performance.now();
  lookup(host, { all: true }, (error, found) => {
    const tookMs = Math.round(performance.now() - started);
    const answer = error ? { code: error.code } : { addresses: found.map(({ address }) => address) };
    console.log(JSON.stringify({ host, tookMs, ...answer }));
  });
}
`;
