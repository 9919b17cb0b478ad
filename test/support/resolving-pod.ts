/**
 * A pod in a network namespace of its own, whose applications' resolvers ask a name server that is another machine: its
 * queries are captured, over IPv4 or IPv6 alone, or the DNS proxy is itself the server of resolv.conf (`:53`).
 *
 * Prints what each resolver says of each name, and where the DNS proxy has listened.
 */
import { execFile, execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { DnsProxy } from "../../src/dns/dns-proxy.ts";
import type { DnsOptions } from "../../src/dns/options.ts";
import { formatHostPort } from "../../src/net/host-port.ts";
import { spawnChild } from "../../src/process/child.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { askDns } from "./dns-client.ts";
import { eventually } from "./eventually.ts";
import { kubernetes, nameTableBytes } from "./name-table.ts";
import { answerAsProgram } from "./namespaced-program.ts";
import { mainPath } from "./outrider.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { testLog } from "./test-log.ts";

const run = promisify(execFile);

/** Programs by name, and what they look up. */
export interface ResolvingOptions {
  readonly programs: Readonly<Record<string, string>>;
  readonly words: readonly string[];
}

/** How queries come to the DNS proxy. */
export type Way = "captured over IPv4" | "captured over IPv6" | "as the server of resolv.conf";

/** Lines of each program, what dig says of some names, and where the DNS proxy listened. */
export interface Resolved {
  readonly places: readonly string[];
  readonly lines: Readonly<Record<string, readonly string[]>>;
  /** Over UDP, then over TCP. */
  readonly dig: readonly (readonly string[])[];
}

/** Each way, and where one that may not listen on `:53` does. */
export interface ResolvingReport {
  readonly ways: Readonly<Record<Way, Resolved>>;
  readonly unprivileged: readonly string[];
}

const proxyId = 1_337;
const outside = { v4: "10.44.0.1", v6: "fd44::1" } as const;
const search = "search demo.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n";

const table = {
  "api.demo.svc.cluster.local": kubernetes("api", "demo", "10.96.7.2", "fd00:96::2"),
  "old.demo.svc.cluster.local": kubernetes("old", "demo", "10.96.7.3"),
  "*.wild.example": { ips: ["192.0.2.3"] },
  "outside.example": { ips: ["192.0.2.4"] },
};

/** The machine with the name server; resolves once that answers. */
async function startOutside(stack: AsyncDisposableStack): Promise<void> {
  const many = Array.from({ length: 60 }, (_, index) => `--host-record=many.example,198.51.100.${index + 1}`);
  const ready = Promise.withResolvers<string>();
  const child = spawnChild({
    file: "unshare",
    args: [
      ...[
        "--net",
        "sh",
        "-c",
        'ip link set lo up; echo ready; until ip link show peer up; do sleep 0.05; done; exec "$@"',
        "sh",
      ],
      ...[
        "dnsmasq",
        "--keep-in-foreground",
        "--no-resolv",
        "--no-hosts",
        "--conf-file=/dev/null",
        "--local=/#/",
        ...many,
      ],
      ...["--host-record=both.example,203.0.113.7,2001:db8::7", "--cname=alias.example,both.example"],
      "--ptr-record=9.2.0.192.in-addr.arpa,back.example",
    ],
    env: { PATH: process.env["PATH"] ?? "" },
    stdout: ready.resolve,
    stderr: ready.resolve,
  });
  stack.defer(async () => {
    child.kill("SIGKILL");
    await child.exited;
  });
  await ready.promise;
  const inside = `nsenter --net=/proc/${child.pid ?? 0}/ns/net`;
  sh(
    `ip link add eth0 type veth peer name peer netns ${child.pid ?? 0}`,
    "ip addr add 10.44.0.2/24 dev eth0",
    "ip addr add fd44::2/64 dev eth0 nodad",
    "ip link set eth0 up",
    `${inside} ip addr add ${outside.v4}/24 dev peer`,
    `${inside} ip addr add ${outside.v6}/64 dev peer nodad`,
    `${inside} ip link set peer up`,
    "ip route add default via 10.44.0.1",
    "ip -6 route add default via fd44::1",
  );
  for (const host of [outside.v4, outside.v6])
    await eventually("the name server", () => askDns({ host, port: 53 }, "both.example"), {
      withinMs: 20_000,
    });
}

function sh(...commands: readonly string[]): void {
  execFileSync("sh", ["-c", ["set -e", ...commands].join("\n")], { stdio: "pipe" });
}

/** Words that run a program with this resolv.conf, as this user. */
function within(resolvConf: string, uid: number): readonly string[] {
  const script = `mount --bind '${resolvConf}' /etc/resolv.conf; exec setpriv --reuid=${uid} --regid=${uid} --clear-groups "$@"`;
  return ["--mount", "--propagation=private", "sh", "-e", "-c", script, "sh"];
}

async function capture(resolvConf: string, words: readonly string[]): Promise<void> {
  await run("unshare", [...within(resolvConf, 0), ...[process.execPath, mainPath, ...words]], {
    env: { PATH: process.env["PATH"] ?? "", ISTIO_DUAL_STACK: "true" },
  });
}

const captureFlags = [
  ...[
    "iptables",
    "-p",
    "15001",
    "-z",
    "15006",
    "-u",
    String(proxyId),
    "-m",
    "REDIRECT",
    "-i",
    "*",
    "-x",
    "",
    "-b",
    "",
  ],
  "--redirect-dns",
];

async function startProxy(options: Pick<DnsOptions, "listen" | "resolvConfPaths">): Promise<DnsProxy> {
  const proxy = await DnsProxy.listen(
    {
      ...options,
      place: { namespace: "demo", domain: "demo.svc.cluster.local" },
      ...{ upstreamPort: 53, isParallel: false, forwardTimeoutMs: 10_000, ttlSeconds: 30, shuffles: true },
      ...{ gateMs: 0, cacheEntries: 0, serveStaleMs: 0, clientQueries: 1_000 },
    },
    { log: testLog().log, metrics: new Metrics("istio_agent_") },
  );
  await proxy.takeTable(nameTableBytes(table));
  return proxy;
}

async function resolveBy(
  options: Pick<DnsOptions, "listen" | "resolvConfPaths">,
  resolvConf: string,
  { programs, words }: ResolvingOptions,
): Promise<Resolved> {
  await using proxy = await startProxy(options);
  const inPod = within(resolvConf, 1_000);
  const linesOf = async (...command: readonly string[]): Promise<readonly string[]> =>
    (await run("unshare", [...inPod, ...command])).stdout.trim().split("\n");
  const lines: Record<string, readonly string[]> = {};
  for (const [name, path] of Object.entries(programs)) lines[name] = await linesOf(path, ...words);
  const dig: (readonly string[])[] = [];
  for (const over of ["+notcp", "+tcp"])
    dig.push(
      await linesOf("dig", over, "+search", "+short", "api", "AAAA", "api.demo", "A", "both.example", "A"),
    );
  return { places: proxy.places.map(formatHostPort), lines, dig };
}

async function resolve(options: ResolvingOptions): Promise<ResolvingReport> {
  using folder = temporaryFolder();
  chmodSync(folder.path, 0o755);
  const file = (name: string, server: string): string => {
    const path = join(folder.path, name, "resolv.conf");
    mkdirSync(join(path, ".."));
    writeFileSync(path, `nameserver ${server}\n${search}`);
    return path;
  };
  const [ofV4, ofV6, ofProxy] = [file("v4", outside.v4), file("v6", outside.v6), file("proxy", "127.0.0.1")];
  await using stack = new AsyncDisposableStack();
  await startOutside(stack);
  // As the sidecar has it: what this process sends itself is not captured.
  process.setegid?.(proxyId);
  const localhost = { kind: "localhost", port: 15_053 } as const;
  const everywhere = { kind: "every address", port: 53 } as const;
  const captured = async (resolvConf: string): Promise<Resolved> => {
    await capture(resolvConf, captureFlags);
    const resolved = await resolveBy(
      { listen: localhost, resolvConfPaths: [resolvConf] },
      resolvConf,
      options,
    );
    await capture(resolvConf, ["clean-iptables", "--redirect-dns"]);
    return resolved;
  };
  const ways = {
    "captured over IPv4": await captured(ofV4),
    "captured over IPv6": await captured(ofV6),
    // The file that the system's took the place of is kept for the agent.
    "as the server of resolv.conf": await resolveBy(
      { listen: everywhere, resolvConfPaths: [ofV4, ofProxy] },
      ofProxy,
      options,
    ),
  };
  process.seteuid?.(1_000);
  await using unprivileged = await startProxy({ listen: everywhere, resolvConfPaths: [ofV4] });
  const places = unprivileged.places.map(formatHostPort);
  process.seteuid?.(0);
  return { ways, unprivileged: places };
}

if (import.meta.main) await answerAsProgram(resolve);
