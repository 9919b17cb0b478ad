/**
 * In a network namespace of its own: calls of `outrider iptables` and `outrider trace`, in this process unless it is
 * about who calls, and what they say.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { cleanIptablesCommand, iptablesCommand } from "../../src/cli/iptables.ts";
import { programOf } from "../../src/cli/program.ts";
import { traceCommand } from "../../src/cli/trace.ts";
import type { CommandContext } from "../../src/command/command.ts";
import { readCommandLine } from "../../src/command/command-line.ts";
import { answerAsProgram } from "./namespaced-program.ts";
import { runOutrider, startOutrider } from "./outrider.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** How a call ended. */
export interface Call {
  readonly code: number;
  readonly said: string;
}

/** What is seen, by what was done. */
export type CallsReport = Readonly<Record<string, Call | boolean>>;

const all = ["--istio-inbound-ports", "*", "--istio-service-cidr", "*"];
const proving = [...all, "--run-validation", "--probe-timeout", "2s"];

async function call(...words: readonly string[]): Promise<Call> {
  const program = programOf([iptablesCommand, cleanIptablesCommand, traceCommand]);
  const invocation = await readCommandLine(words, program);
  if (invocation.kind === "print") return { code: invocation.code, said: invocation.text };
  const lines: string[] = [];
  const print = (line: string): void => {
    lines.push(line);
  };
  const context: Pick<CommandContext, "env" | "print" | "printError"> = { env: {}, print, printError: print };
  const code = await invocation.command.run(invocation.args, context as CommandContext);
  return { code, said: lines.join("\n") };
}

/** By a process of its own. */
async function callAs(launcher: readonly string[], ...args: readonly string[]): Promise<Call> {
  const { exit, output } = await runOutrider({ launcher, args, withinMs: 120_000 });
  return { code: exit.kind === "exited" ? exit.code : -1, said: output };
}

/** Everything that is held; that the old back end keeps tables without a rule, once they were used, does not count. */
function rules(...namespace: readonly string[]): string {
  const saves = "for i in iptables ip6tables; do for k in nft legacy; do $i-$k-save; done; done";
  const script = `{ ${saves}; } | grep -E '^-A|^:.* - '; nft -s list ruleset; ip rule; ip -6 addr show dev lo`;
  return execFileSync("env", [...namespace, "sh", "-c", script], { encoding: "utf8", stdio: "pipe" })
    .replace(/ \[\d+:\d+\]/g, "")
    .replace(/^#.*\n/gm, "");
}

function ip(...words: readonly string[]): void {
  execFileSync("ip", words, { stdio: "pipe" });
}

async function listen(port: number): Promise<AsyncDisposable> {
  const server = createServer((socket) => socket.on("error", () => undefined));
  await new Promise<void>((resolve) => server.listen({ host: "::", port }, resolve));
  return { [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
}

async function live(): Promise<CallsReport> {
  using folder = temporaryFolder();
  ip("link", "add", "pod0", "type", "veth", "peer", "name", "pod1");
  ip("addr", "add", "10.55.0.1/24", "dev", "pod0");
  ip("-6", "addr", "add", "fd55::1/64", "dev", "pod0", "nodad");
  ip("link", "set", "pod0", "up");
  ip("link", "set", "pod1", "up");
  ip("route", "add", "default", "via", "10.55.0.2");
  const before = rules();
  return {
    ...(await refused(folder.path, before)),
    ...(await proven()),
    ...(await traced()),
    ...(await interrupted(folder.path)),
    ...(await inAnother()),
  };
}

/** What cannot be done changes nothing. */
async function refused(folder: string, before: string): Promise<CallsReport> {
  const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all"];
  const withoutPrivilege = await callAs(nobody, "iptables", ...all);
  const path = process.env["PATH"] ?? "";
  process.env["PATH"] = folder;
  const withoutBinary = await call("iptables", ...all);
  process.env["PATH"] = path;
  // As where the kernel or the image lacks an extension: iptables itself says so.
  process.env["XTABLES_LIBDIR"] = folder;
  const withoutExtension = await call("iptables", ...all, "--force-iptables-binary", "legacy");
  delete process.env["XTABLES_LIBDIR"];
  return {
    "without privilege": withoutPrivilege,
    "without a program": withoutBinary,
    "without an extension": withoutExtension,
    "what is refused changes nothing": rules() === before,
  };
}

async function proven(): Promise<CallsReport> {
  return {
    "no rules, as root": await call("iptables", ...proving, "--skip-rule-apply"),
    "rules of both families, as root": await call("iptables", ...proving, "--dual-stack"),
    "rules that are there, without SETUID": await callAs(
      ["setpriv", "--bounding-set=-all,+net_admin,+net_raw"],
      ...["iptables", ...proving, "--skip-rule-apply"],
    ),
    "rules of TPROXY": await call("iptables", ...proving, "--istio-inbound-interception-mode", "TPROXY"),
    "Envoy is there already": await whileListening(15_006, () =>
      call("iptables", ...proving, "--skip-rule-apply"),
    ),
  };
}

async function whileListening(port: number, act: () => Promise<Call>): Promise<Call> {
  await using _server = await listen(port);
  return await act();
}

async function traced(): Promise<CallsReport> {
  await call("iptables", ...all);
  const captured = await whileListening(15_001, () => call("trace", "10.77.0.1:80"));
  const nobodyThere = await call("trace", "10.77.0.1:80");
  const inbound = await call("trace", "10.55.0.1:80", "--from", "10.55.0.2");
  const planned = await whileListening(15_001, () =>
    call("trace", "10.77.0.1:80", "--planned", "--istio-service-cidr", "10.66.0.0/16"),
  );
  await call("iptables", ...all, "--native-nftables");
  const byNft = await whileListening(15_001, () => call("trace", "10.77.0.1:80"));
  await call("clean-iptables");
  return {
    "trace of a call to another pod": captured,
    "trace where nobody listens": nobodyThere,
    "trace of a call from outside": inbound,
    "trace by a plan": planned,
    "trace by nft's rules": byNft,
    "trace without rules": await whileListening(15_001, () => call("trace", "10.55.0.1:15001")),
  };
}

/** Killed between the families; and several at once. */
async function interrupted(folder: string): Promise<CallsReport> {
  const words = ["iptables", ...all, "--dual-stack"];
  const before = rules();
  await call(...words);
  const whole = rules();
  await call("clean-iptables");
  await killedBefore("ip6tables-nft-restore", folder, words);
  const half = rules();
  const next = await call(...words);
  const repaired = rules();
  await call("clean-iptables");
  const afterwards = rules();
  await killedBefore("iptables-nft-restore", folder, [
    ...words,
    ...["--istio-inbound-interception-mode", "TPROXY"],
  ]);
  const onlyRoutes = rules();
  await call("clean-iptables");
  const afterRoutes = rules();
  const several = await Promise.all([call(...words), call(...words), call(...words)]);
  return {
    "killed half-way: something is there": half !== before && half !== whole,
    "killed half-way: the next call": next,
    "killed half-way: the next call repairs": repaired === whole,
    "killed half-way: cleaned": afterwards === before,
    "killed before the first rule: routes are there": onlyRoutes !== before,
    "killed before the first rule: cleaned": afterRoutes === before,
    "several at once: each": several.every(({ code }) => code === 0),
    "several at once: one does it": several.filter(({ said }) => said.startsWith("applied")).length === 1,
    "several at once: the rules": rules() === whole,
    "cleaned at last": (await call("clean-iptables")).code === 0 && rules() === before,
  };
}

/** A call that dies at once when it comes to run this program. */
async function killedBefore(program: string, folder: string, args: readonly string[]): Promise<void> {
  const programs = join(folder, `without-${program}`);
  mkdirSync(programs);
  const killer = join(programs, program);
  writeFileSync(killer, "#!/bin/sh\nkill -9 $PPID\n");
  chmodSync(killer, 0o755);
  const env = { PATH: `${programs}${delimiter}${process.env["PATH"] ?? ""}` };
  await using killed = startOutrider({ args, env });
  await killed.exitWithin(120_000);
}

/** As a CNI plugin calls, from a node, whose own rules and addresses are another matter. */
async function inAnother(): Promise<CallsReport> {
  const pid = execFileSync("sh", ["-c", "unshare --net sleep 600 >/dev/null 2>&1 & echo $!"], {
    encoding: "utf8",
  }).trim();
  try {
    const file = `/proc/${pid}/ns/net`;
    const inside = ["nsenter", `--net=${file}`];
    execFileSync("sh", [
      "-c",
      `until [ "$(readlink ${file})" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done`,
    ]);
    ip("link", "set", "pod1", "netns", pid);
    // A pod of IPv6 only, on a node with both.
    execFileSync("env", [
      ...inside,
      "sh",
      "-c",
      "ip link set lo up; ip -6 addr add fd55::2/64 dev pod1 nodad",
    ]);
    const [here, there] = [rules(), rules(...inside)];
    const words = ["iptables", ...all, "--cni-mode", "--network-namespace", file, "--redirect-dns"];
    const applied = await call(...words);
    const [hereAfter, held] = [rules(), rules(...inside)];
    const again = await call(...words);
    const cleaned = await call("clean-iptables", "--network-namespace", file);
    return {
      "in another namespace": applied,
      "in another namespace: nothing here": hereAfter === here,
      "in another namespace: IPv6 as the pod has it": held.includes("-d ::1/128 -j RETURN"),
      "in another namespace: DNS to every server": held.includes(
        "-A ISTIO_OUTPUT_DNS -p udp -m udp --dport 53 -j REDIRECT",
      ),
      "in another namespace: again": again,
      "in another namespace: cleaned": cleaned.code === 0 && rules(...inside) === there,
      "no such namespace": await call("iptables", "--network-namespace", "/nonexistent", "--cni-mode"),
    };
  } finally {
    process.kill(Number(pid), "SIGKILL");
  }
}

if (import.meta.main) await answerAsProgram(live);
