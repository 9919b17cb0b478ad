/**
 * Checks a workload by the address of a NAT, from a machine that does not have it. Run in a network of its own: the
 * NAT is another network behind it, which answers for the workload.
 */
import { execFileSync } from "node:child_process";
import { readlinkSync } from "node:fs";
import { spawnChild } from "../../src/process/child.ts";
import { HttpServer } from "../../src/net/http-server.ts";
import { probeOnce } from "../../src/probe/probe.ts";
import { eventually } from "./eventually.ts";
import { answerAsProgram } from "./namespaced-program.ts";
import type { ProbeResult, ProbeTarget } from "../../src/probe/method.ts";

/** The machine's own address, and the one by which others know it. */
const [own, known] = ["10.9.0.2", "203.0.113.9"];

const port = 8080;
const never = new AbortController().signal;

const natScript = `
  until ip link show nat >/dev/null 2>&1; do sleep 0.05; done
  ip address add ${known}/32 dev nat
  ip link set nat up
  ip route add ${own}/32 dev nat
  exec "$0" -e 'require("node:http").createServer((_, to) => to.end()).listen(${port}, "${known}")'
`;

function ip(...words: readonly string[]): void {
  execFileSync("ip", words);
}

function networkOf(pid: number | "self"): string {
  return readlinkSync(`/proc/${pid}/ns/net`);
}

function ask(changes: Partial<ProbeTarget> = {}): Promise<readonly ProbeResult[]> {
  const target = { host: known, port, sourceAddress: "127.0.0.6", ...changes };
  return Promise.all([
    probeOnce({ kind: "http", scheme: "http", path: "/", headers: [], ...target }, 10_000, never),
    probeOnce({ kind: "tcp", ...target }, 10_000, never),
  ]);
}

await answerAsProgram(async (): Promise<Readonly<Record<string, readonly ProbeResult[]>>> => {
  const nat = spawnChild({
    file: "unshare",
    args: ["--net", "sh", "-c", natScript, process.execPath],
    stdout: console.log,
    stderr: console.error,
  });
  try {
    await eventually(
      "the NAT's network",
      () => {
        if (networkOf(nat.pid ?? 0) === networkOf("self")) throw new Error("it is still this one");
      },
      { withinMs: 20_000 },
    );
    ip("link", "add", "machine", "type", "veth", "peer", "name", "nat");
    ip("link", "set", "nat", "netns", String(nat.pid));
    ip("address", "add", `${own}/24`, "dev", "machine");
    ip("link", "set", "machine", "up");
    ip("route", "add", `${known}/32`, "dev", "machine");
    await using app = await HttpServer.listen({ host: own, port: 0 }, (_request, response) => {
      response.end();
    });
    await eventually(
      "the NAT's answer",
      async () => {
        const results = await ask({ sourceAddress: undefined });
        if (results.some(({ kind }) => kind !== "healthy")) throw new Error(JSON.stringify(results));
      },
      { withinMs: 20_000 },
    );
    return {
      behind: await ask(),
      local: await ask({ host: own, port: app.port }),
      withoutSource: await ask({ sourceAddress: "192.0.2.77" }),
      refused: await ask({ port: port + 1 }),
    };
  } finally {
    nat.killGroup("SIGKILL");
  }
});
