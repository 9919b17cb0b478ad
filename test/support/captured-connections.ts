/**
 * In a network namespace of its own: rules of traffic capture, programs that listen where Envoy and an application
 * would, and where connections end.
 */
import { execFileSync } from "node:child_process";
import { createServer } from "node:net";
import { applyCapture, cleanCapture } from "../../src/capture/apply/apply.ts";
import { toolsIn } from "../../src/capture/apply/tool.ts";
import { planFor } from "./capture-cases.ts";
import type { Way } from "./captured-rules.ts";
import { answerAsProgram } from "./namespaced-program.ts";

/** Who answers a connection; `refused` when nobody does. */
export type Answerer = "outbound" | "inbound" | "application" | "refused";

/** What is asked for. */
export interface ConnectionsQuestion {
  readonly way: Way;
}

/** Where connections end, by what they are. */
export type ConnectionsReport = Readonly<Record<string, Answerer>>;

/** The pod's own address, and one that another pod would have. */
const own = { v4: "10.55.0.1", v6: "fd55::1" } as const;
const applicationPort = 8_080;
const excludedPort = 9_090;

/** Says who it is, and closes. */
async function listen(host: string, port: number, name: Answerer): Promise<AsyncDisposable> {
  const server = createServer((socket) => socket.on("error", () => undefined).end(name));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, resolve);
  });
  return { [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
}

const caller = `
const [host, port, localAddress] = process.argv.slice(1);
const socket = require("node:net").connect({ host, port: Number(port), ...(localAddress ? { localAddress } : {}) });
socket.on("data", (text) => process.stdout.write(text)).on("error", () => process.stdout.write("refused"));
`;

/** @param uid of the process that calls */
async function call(
  host: string,
  port: number,
  { uid = 0, localAddress = "", namespace = [] as readonly string[] } = {},
): Promise<Answerer> {
  const { promisify } = await import("node:util");
  const { execFile } = await import("node:child_process");
  const words = [...namespace, process.execPath, "-e", caller, host, String(port), localAddress];
  const { stdout } = await promisify(execFile)("env", words, { uid, gid: uid, timeout: 20_000 });
  return stdout as Answerer;
}

async function live({ way }: ConnectionsQuestion): Promise<ConnectionsReport> {
  const ip = (...words: readonly string[]): void => {
    execFileSync("ip", words, { stdio: "pipe" });
  };
  // Another pod is a namespace of its own at the other end of a pair of interfaces.
  const other = execFileSync("sh", ["-c", "unshare --net sleep 120 >/dev/null 2>&1 & echo $!"], {
    encoding: "utf8",
  }).trim();
  const inOther = ["nsenter", `--net=/proc/${other}/ns/net`] as const;
  try {
    ip("link", "add", "pod0", "type", "veth", "peer", "name", "pod1");
    ip("link", "set", "pod1", "netns", other);
    ip("addr", "add", `${own.v4}/24`, "dev", "pod0");
    ip("-6", "addr", "add", `${own.v6}/64`, "dev", "pod0", "nodad");
    ip("link", "set", "pod0", "up");
    const [enter, ...words] = [...inOther, "ip"];
    execFileSync(enter, [...words, "addr", "add", "10.55.0.2/24", "dev", "pod1"]);
    execFileSync(enter, [...words, "-6", "addr", "add", "fd55::2/64", "dev", "pod1", "nodad"]);
    execFileSync(enter, [...words, "link", "set", "pod1", "up"]);
    return await report(way, inOther);
  } finally {
    process.kill(Number(other), "SIGKILL");
  }
}

async function report(way: Way, inOther: readonly string[]): Promise<ConnectionsReport> {
  const plan = planFor({
    "istio-inbound-ports": "*",
    "istio-service-cidr": "*",
    "istio-service-exclude-cidr": "10.66.0.0/16",
    "istio-local-exclude-ports": String(excludedPort),
    "istio-local-outbound-ports-exclude": "7070",
    "dual-stack": "true",
    ISTIO_OUTBOUND_OWNER_GROUPS_EXCLUDE: "202",
  });
  const tools = toolsIn(undefined);
  const options = {
    nativeNftables: way === "native-nft",
    binary: way === "iptables-legacy" ? ("legacy" as const) : ("nft" as const),
    force: false,
  };
  const outcome = await applyCapture(plan, options, tools);
  if (outcome.kind !== "changed") throw new Error(JSON.stringify(outcome));
  await using _outbound = await listen("::", 15_001, "outbound");
  await using _inbound = await listen("::", 15_006, "inbound");
  await using _application = await listen("::", applicationPort, "application");
  await using _excluded = await listen("::", excludedPort, "application");
  await using _elsewhere = await listen("::", 7_070, "application");
  const from = { namespace: inOther };
  const captured = {
    "out to another pod": await call("10.55.0.2", 80),
    "out to another pod, IPv6": await call("fd55::2", 80),
    "out to an excluded port": await call("10.55.0.2", 7_070),
    "out to an excluded CIDR": await call("10.66.0.1", 80),
    "out from an excluded group": await call("10.55.0.2", 80, { uid: 202 }),
    "out from the proxy": await call("10.55.0.2", 80, { uid: 1337 }),
    "in to the application": await call(own.v4, applicationPort, from),
    "in to the application, IPv6": await call(own.v6, applicationPort, from),
    "in to an excluded port": await call(own.v4, excludedPort, from),
    "the application to itself by loopback": await call("127.0.0.1", applicationPort),
    "the application to itself by its address": await call(own.v4, applicationPort),
    "the application to itself by loopback, IPv6": await call("::1", applicationPort),
    "the proxy to its own pod": await call(own.v4, applicationPort, { uid: 1337 }),
    "the proxy to its own pod, IPv6": await call(own.v6, applicationPort, { uid: 1337 }),
    "the proxy to the application": await call(own.v4, applicationPort, {
      uid: 1337,
      localAddress: "127.0.0.6",
    }),
  };
  const cleaned = await cleanCapture(tools);
  if (cleaned.kind !== "changed") throw new Error(JSON.stringify(cleaned));
  return {
    ...captured,
    "out to another pod, once cleaned": await call("10.55.0.2", 80),
    "in to the application, once cleaned": await call(own.v4, applicationPort, from),
  };
}

if (import.meta.main) await answerAsProgram(live);
