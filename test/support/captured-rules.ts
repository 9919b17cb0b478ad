/**
 * In a network namespace of its own: what iptables and nft say to rules of traffic capture, and what the kernel holds
 * before, between and after.
 */
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { symlinkSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import * as fc from "fast-check";
import { type ApplyOptions, applyCapture, cleanCapture } from "../../src/capture/apply/apply.ts";
import type { CaptureFailureCode, CaptureOutcome } from "../../src/capture/apply/outcome.ts";
import { departed } from "../../src/capture/apply/departure.ts";
import { type RunTool, toolsIn } from "../../src/capture/apply/tool.ts";
import type { CapturePlan } from "../../src/capture/plan/plan.ts";
import { restoreInput } from "../../src/capture/render/iptables.ts";
import { nftScript } from "../../src/capture/render/nft.ts";
import { captureCases, type CaptureTexts, planFor } from "./capture-cases.ts";
import { answerAsProgram } from "./namespaced-program.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** How rules get into the kernel. */
export const ways = ["iptables-nft", "iptables-legacy", "native-nft"] as const;

export type Way = (typeof ways)[number];

/** What is to be shown. */
export type RulesQuestion =
  | { readonly show: "accepted" }
  | { readonly show: "applied"; readonly way: Way; readonly runs: number }
  | { readonly show: "changed"; readonly way: Way }
  | { readonly show: "rolled-back"; readonly way: Way }
  | { readonly show: "repaired"; readonly way: Way }
  | { readonly show: "departing" };

const foreign = [
  "*nat",
  ":CNI_OTHERS - [0:0]",
  "-A PREROUTING -i net1 -j RETURN",
  "-A OUTPUT -j CNI_OTHERS",
  "-A CNI_OTHERS -d 10.0.0.1/32 -j ACCEPT",
  "COMMIT",
  "*mangle",
  "-A OUTPUT -d 10.0.0.2/32 -j MARK --set-mark 7",
  "COMMIT",
  "",
].join("\n");

function run(file: string, args: readonly string[], input = ""): string {
  return execFileSync(file, args, { input, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] });
}

/** What makes rules go that way. */
export function applyOptionsFor(way: Way, force = false): ApplyOptions {
  return {
    nativeNftables: way === "native-nft",
    binary: way === "iptables-legacy" ? "legacy" : "nft",
    force,
    networkNamespace: undefined,
  };
}

/** Everything that the kernel holds; tables that the old back end keeps without any rule do not count. */
export function everythingHeld(): string {
  const saves = ["iptables-nft-save", "ip6tables-nft-save", "iptables-legacy-save", "ip6tables-legacy-save"];
  const rules = saves.map((save) => byChain(run(save, []), /^\*\w+/, /^-A \S+/, /^-A .*|^:\S+ -/));
  const routes = [["rule"], ["route", "show", "table", "all"], ["addr"]].flatMap((words) => [
    run("ip", ["-4", ...words]),
    run("ip", ["-6", ...words]),
  ]);
  const ruleset = byChain(run("nft", ["-s", "list", "ruleset"]), /^table .*/, /^\s*chain \S+/, /^(?!\}).*\S/);
  return [...rules, ruleset, ...routes].join("\n");
}

/** Lines under their table and chain, in their order; in which order chains stand means nothing. */
function byChain(text: string, isTable: RegExp, isChain: RegExp, isShown: RegExp): string {
  const groups = new Map<string, string[]>();
  let [table, chain] = ["", ""];
  for (const line of text.split("\n")) {
    const [newTable] = isTable.exec(line) ?? [];
    if (newTable !== undefined) [table, chain] = [newTable, ""];
    [chain] = isChain.exec(line) ?? [chain];
    const key = `${table} ${chain}`;
    if (isShown.test(line)) groups.set(key, [...(groups.get(key) ?? []), line]);
  }
  return [...groups]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, lines]) => [key, ...lines].join("\n"))
    .join("\n");
}

/** Those of TPROXY unless flags say otherwise. */
export const tproxyRoute = { mark: 1_337, table: 133 } as const;

/** Rules of somebody else, in the back end that is used. */
function putForeignRules(way: Way): void {
  run(way === "iptables-legacy" ? "iptables-legacy-restore" : "iptables-nft-restore", ["--noflush"], foreign);
}

function refusals(): readonly string[] {
  return Object.entries(captureCases).flatMap(([name, texts]) => {
    const plan = planFor(texts);
    const problems: string[] = [];
    const attempt = (file: string, args: readonly string[], input: string): void => {
      try {
        run(file, args, input);
      } catch (error) {
        problems.push(`${name}, ${file}: ${String(error)}`);
      }
    };
    for (const family of plan) {
      const prefix = family.family === "ipv4" ? "iptables" : "ip6tables";
      for (const kind of ["nft", "legacy"])
        attempt(`${prefix}-${kind}-restore`, ["--noflush", "--test"], restoreInput(family));
    }
    attempt("nft", ["-c", "-f", "-"], nftScript(plan));
    return problems;
  });
}

const port = fc.integer({ min: 1, max: 65_535 }).map(String);
const list = (item: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(item, { maxLength: 3 }).map((items) => items.join(","));
const id = fc.integer({ min: 0, max: 70_000 }).map(String);
const block = fc.oneof(
  fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([address, bits]) => `${address}/${bits}`),
  fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })).map(([address, bits]) => `${address}/${bits}`),
);
const flag = fc.constantFrom("true", "false");
const networkInterface = fc.stringMatching(/^[a-z][a-z0-9.-]{0,12}\+?$/);

/** Any valid options. */
const anyTexts: fc.Arbitrary<CaptureTexts> = fc.record({
  "istio-inbound-interception-mode": fc.constantFrom("REDIRECT", "TPROXY"),
  "envoy-port": fc.integer({ min: 1, max: 32_000 }).map(String),
  "inbound-capture-port": fc.integer({ min: 32_001, max: 65_535 }).map(String),
  "inbound-tunnel-port": port,
  "istio-inbound-tproxy-mark": fc.integer({ min: 1, max: 0xffff_fffe }).map(String),
  "istio-inbound-tproxy-route-table": fc.integer({ min: 1, max: 252 }).map(String),
  ISTIO_OUTBOUND_IPV4_LOOPBACK_CIDR: fc.integer({ min: 8, max: 32 }).map((bits) => `127.0.0.1/${bits}`),
  "istio-inbound-ports": fc.oneof(fc.constant("*"), list(port)),
  "istio-local-exclude-ports": list(port),
  "istio-service-cidr": fc.oneof(fc.constant("*"), list(block)),
  "istio-service-exclude-cidr": list(block),
  "istio-outbound-ports": list(port),
  "istio-local-outbound-ports-exclude": list(port),
  "istio-exclude-interfaces": list(networkInterface),
  "kube-virt-interfaces": list(networkInterface),
  "proxy-uid": list(id),
  "proxy-gid": list(id),
  ISTIO_OUTBOUND_OWNER_GROUPS: fc.oneof(fc.constant("*"), list(id)),
  ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE: list(id),
  "redirect-dns": flag,
  "capture-all-dns": flag,
  "drop-invalid": flag,
  "dual-stack": flag,
});

function expect(outcome: CaptureOutcome, kind: CaptureOutcome["kind"]): void {
  if (outcome.kind !== kind) throw new Error(`expected ${kind}, got ${JSON.stringify(outcome)}`);
}

async function applied(way: Way, runs: number): Promise<void> {
  const tools = toolsIn(undefined);
  putForeignRules(way);
  const before = everythingHeld();
  await fc.assert(
    fc.asyncProperty(anyTexts, async (texts) => {
      const plan = planFor(texts);
      expect(await applyCapture(plan, applyOptionsFor(way), tools), "changed");
      const once = everythingHeld();
      expect(await applyCapture(plan, applyOptionsFor(way), tools), "unchanged");
      expect(await applyCapture(plan, applyOptionsFor(way, true), tools), "changed");
      same(everythingHeld(), once, "applied twice");
      expect(await cleanCapture(tools, tproxyRoute), "changed");
      same(everythingHeld(), before, "cleaned");
      expect(await cleanCapture(tools, tproxyRoute), "unchanged");
    }),
    { numRuns: runs },
  );
}

function same(seen: string, expected: string, when: string): void {
  if (seen === expected) return;
  const [lines, others] = [seen.split("\n"), expected.split("\n")];
  const at = lines.findIndex((line, index) => line !== others[index]);
  const shown = (list: readonly string[]): string => list.slice(at, at + 8).join("\n");
  throw new Error(`${when}, from line ${at} on:\n${shown(lines)}\ninstead of:\n${shown(others)}`);
}

const one = { "istio-inbound-ports": "*", "istio-service-cidr": "*", "istio-exclude-interfaces": "net1" };
const other: CaptureTexts = {
  ...one,
  "istio-inbound-interception-mode": "TPROXY",
  "redirect-dns": "true",
  "dual-stack": "true",
  "istio-exclude-interfaces": "net2",
};

/** Each configuration leaves the same rules, whatever was there before. */
async function changed(way: Way): Promise<void> {
  const tools = toolsIn(undefined);
  putForeignRules(way);
  const before = everythingHeld();
  const results = new Map<CaptureTexts, string>();
  for (const texts of [one, other]) {
    expect(await applyCapture(planFor(texts), applyOptionsFor(way), tools), "changed");
    results.set(texts, everythingHeld());
    expect(await cleanCapture(tools, tproxyRoute), "changed");
    same(everythingHeld(), before, "cleaned");
  }
  for (const texts of [one, other, one]) {
    expect(await applyCapture(planFor(texts), applyOptionsFor(way), tools), "changed");
    same(everythingHeld(), results.get(texts) ?? "", "changed");
  }
  // A back end that is left for another keeps nothing.
  const next: Way = way === "native-nft" ? "iptables-nft" : "native-nft";
  expect(await applyCapture(planFor(other), applyOptionsFor(next), tools), "changed");
  expect(await applyCapture(planFor(one), applyOptionsFor(way), tools), "changed");
  same(everythingHeld(), results.get(one) ?? "", "changed back");
}

/** Everything else happens; the kernel refuses what the program does whose words have this in them. */
function refusing(word: string): RunTool {
  const tools = toolsIn(undefined);
  return (file, args, input) =>
    [file, ...args].join(" ").includes(word)
      ? tools("setpriv", ["--bounding-set=-all", file, ...args], input)
      : tools(file, args, input);
}

/** What refuses, and what is said of it. */
interface Refusal {
  readonly code: CaptureFailureCode;
  readonly run?: RunTool;
  /** Makes it so, and not so any more. */
  readonly begin?: () => unknown;
  readonly end?: () => unknown;
  /** Programs that are refused take back nothing either. */
  readonly leavesSome?: true;
}

function refusalsOf(way: Way): readonly Refusal[] {
  const code = "NO_PERMISSION";
  const routes = ["route add", "rule add"].map((word) => ({ code, run: refusing(word) }) as const);
  const secondFamily = refusing(`ip6tables-${applyOptionsFor(way).binary ?? ""}-restore`);
  const sysctl = (value: string) => () => {
    writeFileSync("/proc/sys/net/ipv6/conf/lo/disable_ipv6", value);
  };
  const foreignRoute = (does: string) => () => {
    run("ip", ["-6", "route", does, "unreachable", "fd77::/64", "table", "133"]);
  };
  const foreignRule = (does: string) => () => run("ip", ["rule", does, "fwmark", "1337", "lookup", "200"]);
  // The old back end says the same of a missing right and of a missing module.
  const second = way === "iptables-legacy" ? "REFUSED" : code;
  return [
    ...(way === "native-nft" ? [] : [{ code: second, run: secondFamily, leavesSome: true } as const]),
    ...routes,
    { code: "NO_IPV6", begin: sysctl("1"), end: sysctl("0") },
    { code: "ROUTE_TAKEN", begin: foreignRoute("add"), end: foreignRoute("del") },
    { code: "ROUTE_TAKEN", begin: foreignRule("add"), end: foreignRule("del") },
  ];
}

async function rolledBack(way: Way): Promise<void> {
  putForeignRules(way);
  for (const earlier of [undefined, one]) {
    if (earlier !== undefined)
      expect(await applyCapture(planFor(earlier), applyOptionsFor(way), toolsIn(undefined)), "changed");
    for (const { code, run: tools = toolsIn(undefined), begin, end, leavesSome } of refusalsOf(way)) {
      begin?.();
      const before = everythingHeld();
      const outcome = await applyCapture(planFor(other), applyOptionsFor(way), tools);
      if (outcome.kind !== "failed" || outcome.code !== code)
        throw new Error(`no ${code}: ${JSON.stringify(outcome)}`);
      if (outcome.left.length > 0 && leavesSome !== true) throw new Error(outcome.left.join("; "));
      same(everythingHeld(), before, `after ${outcome.message}`);
      end?.();
    }
  }
}

/** A first call that was killed has left half of it. */
async function repaired(way: Way): Promise<void> {
  const tools = toolsIn(undefined);
  const before = everythingHeld();
  const plan: CapturePlan = planFor(other);
  expect(await applyCapture(plan, applyOptionsFor(way), tools), "changed");
  const whole = everythingHeld();
  if (way === "native-nft") run("nft", ["delete", "table", "ip6", "istio-proxy-nat"]);
  else {
    const iptables = way === "iptables-legacy" ? "iptables-legacy" : "iptables-nft";
    run(iptables, ["-t", "nat", "-D", "OUTPUT", "-j", "ISTIO_OUTPUT"]);
    run(iptables, ["-t", "nat", "-F", "ISTIO_OUTPUT"]);
    run(iptables, ["-t", "mangle", "-D", "ISTIO_INBOUND", "1"]);
  }
  run("ip", ["route", "flush", "table", "133"]);
  expect(await applyCapture(plan, applyOptionsFor(way), tools), "changed");
  same(everythingHeld(), whole, "repaired");
  expect(await cleanCapture(tools, tproxyRoute), "changed");
  same(everythingHeld(), before, "cleaned");
}

/** With no more programs than the image has, and one to enter a network namespace: a connection that does not end. */
async function departing(): Promise<readonly string[]> {
  using folder = temporaryFolder();
  for (const program of ["ip", "nsenter"])
    symlinkSync(run("which", [program]).trim(), join(folder.path, program));
  const path = process.env["PATH"];
  // Both its ends stay when their address is not of this namespace any more, as that of a transparent socket.
  run("ip", ["addr", "add", "192.0.2.7/32", "dev", "lo"]);
  const server = createServer().listen(0, "192.0.2.7");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect(port, "192.0.2.7");
  const [[accepted]] = (await Promise.all([once(server, "connection"), once(client, "connect")])) as [
    [Socket],
    unknown,
  ];
  run("ip", ["addr", "del", "192.0.2.7/32", "dev", "lo"]);
  try {
    process.env["PATH"] = folder.path;
    const left = await Promise.all(
      [undefined, "/proc/self/ns/net", "/none"].map(async (place) => departed(toolsIn(place), place)),
    );
    const [own, other, unread] = left;
    const isRight = own === 2 && other === 2 && typeof unread === "string" && unread.includes("/none");
    return isRight ? [] : [`left: ${JSON.stringify(left)}`];
  } finally {
    process.env["PATH"] = path;
    for (const socket of [client, accepted]) socket.destroy();
    server.close();
  }
}

async function answer(question: RulesQuestion): Promise<readonly string[]> {
  switch (question.show) {
    case "accepted":
      return refusals();
    case "applied":
      await applied(question.way, question.runs);
      return [];
    case "changed":
      await changed(question.way);
      return [];
    case "rolled-back":
      await rolledBack(question.way);
      return [];
    case "repaired":
      await repaired(question.way);
      return [];
    case "departing":
      return await departing();
  }
}

if (import.meta.main) await answerAsProgram(answer);
