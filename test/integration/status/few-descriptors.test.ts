/** Connections that say nothing take no descriptor that a probe needs. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";
import { eventually } from "../../support/eventually.ts";
import { bareRequest, holdOpen, sendRaw, statusOf } from "../../support/raw-http.ts";

const program = join(import.meta.dirname, "../../support/ports-main.ts");
const half = "GET /healthz/ready HTTP/1.1\r\nhost: localhost\r\nx-";

describe("the agent's ports with few descriptors", { concurrency: true }, () => {
  for (const [descriptors, connections] of [
    [128, 200],
    [256, 300],
    [1_024, 1_074],
  ] as const) {
    test(`are asked while ${connections} half requests are open on each, with ${descriptors} descriptors`, async () => {
      const child = spawn("prlimit", [`--nofile=${descriptors}`, process.execPath, program], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      try {
        const [line] = (await once(createInterface(child.stdout), "line")) as [string];
        const ports = JSON.parse(line) as { readonly status: number; readonly admin: number };
        const [status, admin] = [ports.status, ports.admin].map((port) => ({ host: "127.0.0.1", port }));
        assert.ok(status !== undefined && admin !== undefined);
        const held: Socket[] = [];
        for (let count = 0; count < connections; count += 1)
          held.push(await holdOpen(admin, half), await holdOpen(status, half));
        for (let probe = 0; probe < 15; probe += 1) {
          assert.equal(statusOf(await sendRaw(status, bareRequest("GET /healthz/ready"))), 200);
          assert.equal(statusOf(await sendRaw(admin, bareRequest("GET /ready"))), 503);
        }
        for (const socket of held) socket.destroy();
        assert.equal(child.exitCode, null);
      } finally {
        child.kill("SIGKILL");
      }
    });
  }

  test("are asked by probes when something has used every descriptor up", async () => {
    const child = spawn("prlimit", ["--nofile=128", process.execPath, program, "leak"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const [line] = (await once(createInterface(child.stdout), "line")) as [string];
      const { status } = JSON.parse(line) as { readonly status: number };
      const probe = async (): Promise<void> => {
        const answer = await sendRaw({ host: "127.0.0.1", port: status }, bareRequest("GET /healthz/ready"));
        assert.equal(statusOf(answer), 200);
      };
      await eventually("a probe is answered", probe, { withinMs: 20_000 });
      // And from then on each, also while others sit there and say nothing.
      const held: Socket[] = [];
      for (let count = 0; count < 30; count += 1) {
        held.push(await holdOpen({ host: "127.0.0.1", port: status }, half));
        await probe();
      }
      for (const socket of held) socket.destroy();
    } finally {
      child.kill("SIGKILL");
    }
  });
});
