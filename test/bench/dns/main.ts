/**
 * `npm run bench:dns`: answers of the DNS proxy beside those of its upstream server alone, in one run.
 *
 *     node test/bench/dns/main.ts [--runs=3] [--seconds=5]
 *
 * dnsperf asks and dnsmasq is the upstream, each a process on the same processors as the proxy: both have to be installed.
 * Beside it run what Node.js takes for the datagrams alone and, as root and where Go is installed, the DNS proxy of Istio's
 * agent. Where others use the machine too, processor time says more than rates, and what runs side by side more than either.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { spawnChild } from "../../../src/process/child.ts";
import { freePorts } from "../../support/free-ports.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { type Figure, jsonLine, table } from "../figure.ts";
import { startIstioAgent } from "./istio-agent.ts";
import { startPart } from "../part.ts";
import { cpuMsOf, memoryOf } from "../procfs.ts";

const { values: flags } = parseArgs({
  options: { runs: { type: "string", default: "3" }, seconds: { type: "string", default: "5" } },
});
const seconds = Number(flags.seconds);
const names = 10_000;

await using stack = new AsyncDisposableStack();
const folder = stack.use(temporaryFolder()).path;
const [freePort = 0, istioPort = 0] = await freePorts(2);
/** Istio's agent asks upstreams at 53 alone. */
const upstreamAt =
  process.getuid?.() === 0 ? { host: "127.66.0.1", port: 53 } : { host: "127.0.0.1", port: freePort };
const upstream = spawnChild({
  file: "dnsmasq",
  args: [
    ...["--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null", "--bind-interfaces"],
    ...[
      `--port=${upstreamAt.port}`,
      `--listen-address=${upstreamAt.host}`,
      "--address=/example/203.0.113.7",
      "--cache-size=0",
    ],
  ],
  env: { PATH: process.env["PATH"] ?? "" },
  stdout: () => undefined,
  stderr: () => undefined,
});
stack.defer(async () => {
  upstream.kill("SIGKILL");
  await upstream.exited;
});
const resolvConf = join(folder, "resolv.conf");
writeFileSync(resolvConf, `nameserver ${upstreamAt.host}\n`);
const proxy = stack.use(
  await startPart(join(import.meta.dirname, "proxy.ts"), [
    String(names),
    resolvConf,
    String(upstreamAt.port),
  ]),
);
const [, port = "0", tableMiB = "0"] = /^port (\d+) table ([\d.]+)/.exec(proxy.lines[0] ?? "") ?? [];

const bare = stack.use(
  await startPart(join(import.meta.dirname, "bare.ts"), [upstreamAt.host, String(upstreamAt.port)]),
);
const [, echoPort = "0", relayPort = "0"] = /^echo (\d+) relay (\d+)/.exec(bare.lines[0] ?? "") ?? [];

const istio = process.getuid?.() === 0 ? await startIstioAgent(names, istioPort, resolvConf) : undefined;
if (istio !== undefined) stack.use(istio);

const hits = join(folder, "hits");
const misses = join(folder, "misses");
const lines = (line: (index: number) => string): string =>
  Array.from({ length: names }, (_, index) => `${line(index)} A\n`).join("");
writeFileSync(
  hits,
  lines((index) => `service-${index}.ns${index % 50}.svc.cluster.local`),
);
writeFileSync(
  misses,
  lines((index) => `host-${index}.example`),
);

interface Load {
  readonly perSecond: number;
  /** In milliseconds. */
  readonly latencies: readonly number[];
  readonly lost: number;
}

function load(to: { readonly host: string; readonly port: string }, data: string, most?: number): Load {
  const output = execFileSync(
    "dnsperf",
    [
      ...["-s", to.host, "-p", to.port, "-d", data, "-l", String(seconds), "-c", "4", "-q", "100"],
      ...(most === undefined ? [] : ["-Q", String(most), "-v"]),
    ],
    { encoding: "utf8", maxBuffer: 2 ** 27 },
  );
  const number = (pattern: RegExp): number => Number(pattern.exec(output)?.[1] ?? Number.NaN);
  return {
    perSecond: number(/Queries per second:\s+([\d.]+)/),
    latencies: [...output.matchAll(/^> NOERROR .* ([\d.]+)$/gm)].map(
      ([, time = "0"]) => Number(time) * 1_000,
    ),
    lost: number(/Queries lost:\s+(\d+)/),
  };
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(share * values.length)] ?? Number.NaN;
}

const rows = new Map<string, { subject: string; unit: Figure["unit"]; values: number[]; aim?: number }>();
function note(name: string, subject: string, unit: Figure["unit"], value: number, aim?: number): void {
  const key = `${name} of ${subject}`;
  const row = rows.get(key) ?? { subject, unit, values: [], ...(aim === undefined ? {} : { aim }) };
  row.values.push(value);
  rows.set(key, row);
}

for (let run = 0; run < Number(flags.runs); run += 1) {
  const routes = [
    ["proxy, from the table", proxy.pid, port, hits, 51_000],
    ["bare socket, sent back", bare.pid, echoPort, hits, undefined],
    ["proxy, forwarded", proxy.pid, port, misses, 10_000],
    ["bare sockets, forwarded", bare.pid, relayPort, misses, undefined],
    ...(istio === undefined
      ? []
      : ([
          ["Istio's agent, from the table", istio.pid, String(istioPort), hits, undefined],
          ["Istio's agent, forwarded", istio.pid, String(istioPort), misses, undefined],
        ] as const)),
    ["upstream alone", upstream.pid ?? 0, String(upstreamAt.port), misses, undefined],
  ] as const;
  for (const [subject, pid, port_, data, aim] of routes) {
    const to = { host: pid === upstream.pid ? upstreamAt.host : "127.0.0.1", port: port_ };
    // Code that has rested is cold again: what is measured is load that lasts.
    load(to, data);
    const before = cpuMsOf(pid);
    const full = load(to, data);
    const cpuMs = cpuMsOf(pid) - before;
    note("answers", subject, "/s", full.perSecond, aim);
    note("processor time for 1,000 answers", subject, "ms", cpuMs / ((full.perSecond * seconds) / 1_000));
    const calm = load(to, data, 500);
    note("p50 at 500/s", subject, "ms", quantile(calm.latencies, 0.5));
    note("p99 at 500/s", subject, "ms", quantile(calm.latencies, 0.99));
    if (full.lost + calm.lost > 0)
      console.error(`${subject}: ${full.lost} and ${calm.lost} queries were lost`);
  }
  note("RSS after the load", "proxy", "MiB", memoryOf(proxy.pid).rss);
  if (istio !== undefined) note("RSS after the load", "Istio's agent", "MiB", memoryOf(istio.pid).rss);
}
note(`${names} names`, "proxy", "MiB", Number(tableMiB), 8);

const figures = [...rows].map(([key, row]): Figure => ({ name: key.split(" of ")[0] ?? "", ...row }));
console.log(table(figures));
for (const figure of figures) console.log(jsonLine(figure));
