/** The DNS proxy on sockets of IPv6, and on every address at once. */
import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { describe, test } from "node:test";
import { askDns } from "../../support/dns-client.ts";
import { freePorts } from "../../support/free-ports.ts";
import { runningDns } from "../../support/running-dns.ts";

const table = { "mesh.example": { ips: ["192.0.2.1", "2001:db8::1"] } };
const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === "::1"),
);
const skip = hasIpv6 ? false : "this machine has no IPv6";

/** Names of the mesh and of others, over UDP and TCP. */
async function assertAnswers(host: string, port: number): Promise<void> {
  for (const overTcp of [false, true]) {
    const target = { host, port, overTcp };
    assert.deepEqual((await askDns(target, "mesh.example")).data, ["192.0.2.1"]);
    assert.deepEqual((await askDns(target, "mesh.example", "AAAA")).data, ["2001:db8::1"]);
    assert.deepEqual((await askDns(target, "www.example.com")).data, ["203.0.113.7"]);
  }
}

describe("queries are answered", () => {
  test("on ::1", { skip }, async () => {
    await using dns = await runningDns({
      table,
      options: { listen: { kind: "address", host: "::1", port: 0 } },
    });
    await assertAnswers("::1", dns.target.port);
  });

  test("on every address of both families", { skip }, async () => {
    const [port = 0] = await freePorts(1);
    await using dns = await runningDns({ table, options: { listen: { kind: "every address", port } } });
    assert.deepEqual(
      dns.proxy.places.map(({ host }) => host),
      ["0.0.0.0", "::"],
    );
    await assertAnswers("127.0.0.1", port);
    await assertAnswers("::1", port);
  });
});
