/**
 * In a network namespace of its own, which is a pod: a real Envoy, an application, pods and a virtual machine around it,
 * each scene's rules in each way, and where connections end.
 */
import { execFileSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { applyCapture, cleanCapture } from "../../src/capture/apply/apply.ts";
import type { CaptureOutcome } from "../../src/capture/apply/outcome.ts";
import { toolsIn } from "../../src/capture/apply/tool.ts";
import { type CaptureTexts, planFor } from "./capture-cases.ts";
import { type CapturedPod, startCapturedEnvoy } from "./captured-envoy.ts";
import { answerCalls, callPeer, Peer } from "./captured-peer.ts";
import { applyOptionsFor, everythingHeld, tproxyRoute, type Way, ways } from "./captured-rules.ts";
import {
  agentDnsPort,
  applicationPorts,
  type Caller,
  changes,
  otherPorts,
  type Scene,
  scenePlace,
  scenes,
  type SceneName,
} from "./captured-scenes.ts";
import { answerAsProgram } from "./namespaced-program.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** What was seen. */
export interface SceneReport {
  /** Where each call ended. */
  readonly ends: Readonly<Record<string, string>>;
  /** The kernel holds what it held before. */
  readonly isClean: boolean;
}

/** Connections that were made while rules changed, by where they ended: `through Envoy`, `directly`, or `refused`. */
export type TrafficReport = Readonly<Record<string, number>>;

export interface ConnectionsReport {
  /** By way and scene. */
  readonly scenes: Readonly<Record<Way, Readonly<Record<SceneName, SceneReport>>>>;
  /** By way: from one set of options to another, in one mode. */
  readonly changes: Readonly<Record<Way, readonly TrafficReport[]>>;
  /** By way: from one mode to the other, and back. */
  readonly switches: Readonly<Record<Way, readonly TrafficReport[]>>;
  /** From one way to another. */
  readonly betweenWays: TrafficReport;
}

type Callers = Readonly<Record<Caller, Pick<Peer, "call">>>;

const proxy = ["setpriv", "--reuid=1337", "--regid=1337", "--clear-groups"] as const;

function sh(...commands: readonly string[]): void {
  execFileSync("sh", ["-c", ["set -e", ...commands].join("\n")], { stdio: "pipe" });
}

/** Pairs of interfaces to the neighbours, and what makes a network of them. */
function connectPods(other: number, vm: number): void {
  const inside = (pid: number, ...commands: readonly string[]): string =>
    `nsenter --net=/proc/${pid}/ns/net sh -ec '${["ip link set lo up", ...commands].join("; ")}'`;
  sh(
    `ip link add eth0 type veth peer name eth0 netns ${other}`,
    `ip link add net1 type veth peer name net1 netns ${other}`,
    `ip link add vm0 type veth peer name eth0 netns ${vm}`,
    "ip addr add 10.55.0.1/24 dev eth0; ip addr add fd55::1/64 dev eth0 nodad; ip link set eth0 up",
    "ip addr add 10.88.0.1/24 dev net1; ip link set net1 up",
    "ip addr add 10.77.0.1/24 dev vm0; ip link set vm0 up",
    inside(
      other,
      "ip addr add 10.55.0.2/24 dev eth0; ip addr add fd55::2/64 dev eth0 nodad; ip link set eth0 up",
      "ip addr add 10.66.0.2/32 dev lo; ip addr add fd66::2/128 dev lo",
      "ip addr add 10.88.0.2/24 dev net1; ip link set net1 up",
    ),
    inside(vm, "ip addr add 10.77.0.2/24 dev eth0; ip link set eth0 up; ip route add default via 10.77.0.1"),
    "ip route add 10.66.0.0/16 via 10.55.0.2; ip -6 route add fd66::/64 via fd55::2",
  );
}

async function live(): Promise<ConnectionsReport> {
  using folder = temporaryFolder();
  chmodSync(folder.path, 0o755);
  await using other = await Peer.start(["unshare", "--net"], {
    name: "other",
    tcp: [...otherPorts, 53],
    udp: [53],
  });
  await using vm = await Peer.start(["unshare", "--net"], { name: "vm" });
  connectPods(other.pid, vm.pid);
  await using agent = await Peer.start(proxy, {
    name: "agent",
    tcp: [agentDnsPort],
    udp: [agentDnsPort],
    hosts: ["127.0.0.1", "::1"],
  });
  await using inProxyGroup = await Peer.start(["setpriv", "--regid=1337", "--clear-groups"], { name: "" });
  await using inGroup = await Peer.start(["setpriv", "--regid=202", "--clear-groups"], { name: "" });
  await using _application = await answerCalls({ name: "application", tcp: applicationPorts });
  // Transparent sockets, and marks on others.
  await using _envoy = await startCapturedEnvoy(folder.path, [
    ...proxy,
    ...["--inh-caps=+net_admin", "--ambient-caps=+net_admin"],
  ]);
  const callers: Callers = {
    application: { call: callPeer },
    proxy: agent,
    "proxy's group": inProxyGroup,
    "group 202": inGroup,
    other,
    vm,
  };
  const report: Record<Way, Record<string, SceneReport>> = {
    "iptables-nft": {},
    "iptables-legacy": {},
    "native-nft": {},
  };
  const play = async (isIpv6Only: boolean): Promise<void> => {
    for (const [name, scene] of Object.entries<Scene>(scenes)) {
      if ((scene.pod === "ipv6") !== isIpv6Only) continue;
      for (const way of ways) report[way][name] = await playScene(scene, way, callers);
    }
  };
  await play(false);
  const during = (way: Way, list: readonly CaptureTexts[]): Promise<TrafficReport> =>
    underTraffic(
      list.map((texts) => ({ way, texts })),
      callers,
    );
  const changed = {} as Record<Way, readonly TrafficReport[]>;
  for (const way of ways) {
    const seen: TrafficReport[] = [];
    for (const [first = {}, ...others] of Object.values(changes)) {
      await applyStep({ way, texts: first });
      seen.push(await during(way, others));
      await clean();
    }
    changed[way] = seen;
  }
  const [[redirect = {}], [tproxy = {}]] = [changes.redirect, changes.tproxy];
  await applyStep({ way: ways[0], texts: redirect });
  const again = [...ways.slice(1), ways[0]].map((way) => ({ way, texts: redirect }));
  const betweenWays = await underTraffic(again, callers);
  const switched = {} as Record<Way, readonly TrafficReport[]>;
  for (const way of ways) {
    await clean();
    await applyStep({ way, texts: redirect });
    switched[way] = [await during(way, [tproxy]), await during(way, [redirect])];
  }
  await clean();
  sh("for i in eth0 net1 vm0; do ip -4 addr flush dev $i; done");
  await play(true);
  return { scenes: report, changes: changed, switches: switched, betweenWays } as ConnectionsReport;
}

async function playScene({ pod, texts, calls }: Scene, way: Way, callers: Callers): Promise<SceneReport> {
  const before = everythingHeld();
  await applyStep({ way, texts, pod });
  const ends: Record<string, string> = {};
  for (const [what, { by, call }] of Object.entries(calls)) ends[what] = await callers[by].call(call);
  await clean();
  return { ends, isClean: everythingHeld() === before };
}

interface Step {
  readonly way: Way;
  readonly texts: CaptureTexts;
  readonly pod?: CapturedPod;
}

async function applyStep({ way, texts, pod = "redirect" }: Step): Promise<void> {
  const plan = planFor(texts, scenePlace(pod));
  expectChanged(await applyCapture(plan, applyOptionsFor(way), toolsIn(undefined)));
}

async function clean(): Promise<void> {
  expectChanged(await cleanCapture(toolsIn(undefined), tproxyRoute));
}

function expectChanged(outcome: CaptureOutcome): void {
  if (outcome.kind !== "changed") throw new Error(JSON.stringify(outcome));
}

/** Both directions and families, one connection after the other, from before the first change to after the last. */
async function underTraffic(steps: readonly Step[], { application, other }: Callers): Promise<TrafficReport> {
  const ended: Record<string, number> = {};
  const over = new AbortController();
  const traffic = async (by: Pick<Peer, "call">, host: string, port: number): Promise<void> => {
    while (!over.signal.aborted) {
      const [how = "refused"] = /through Envoy$|directly$/.exec(await by.call({ host, port })) ?? [];
      ended[how] = (ended[how] ?? 0) + 1;
    }
  };
  const calling = [
    traffic(application, "10.55.0.2", 80),
    traffic(application, "fd55::2", 80),
    traffic(other, "10.55.0.1", 8_080),
    traffic(other, "fd55::1", 8_080),
  ];
  try {
    for (const step of steps) await applyStep(step);
  } finally {
    over.abort();
    await Promise.all(calling);
  }
  return ended;
}

if (import.meta.main) await answerAsProgram(live);
