/** What goes wrong with one query costs nobody else anything. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, test } from "node:test";
import { TcpServer } from "../../../src/dns/serve/tcp-server.ts";
import { UdpServer } from "../../../src/dns/serve/udp-server.ts";
import { catchEscapes } from "../../support/escapes.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";

const framedQuery = Buffer.from([0, 3, 1, 2, 3]);

/** Fails at the first query, and answers those that follow. */
function answererThatFails(fail: () => never | Promise<never>) {
  let asked = 0;
  return {
    answer: (message: Buffer) => {
      asked += 1;
      return asked === 1 ? fail() : message;
    },
  };
}

describe("an unexpected error in the answer to a query", () => {
  for (const [where, fail] of [
    [
      "at once",
      () => {
        throw new Error("broken");
      },
    ],
    ["later", () => Promise.reject(new Error("broken"))],
    [
      "beside the answer",
      () => {
        setImmediate(() => {
          throw new Error("broken");
        });
        return new Promise<never>(() => undefined);
      },
    ],
  ] as const satisfies readonly (readonly [string, () => never | Promise<never>])[]) {
    test(`${where} ends nothing, over UDP and TCP`, async () => {
      using escapes = catchEscapes();
      const [port = 0] = await freePorts(1);
      const place = { host: "127.0.0.1", port };
      const failures: unknown[] = [];
      const note = (error: unknown): void => {
        failures.push(error);
      };
      await using _udp = await UdpServer.listen(place, answererThatFails(fail), note, note);
      await using _tcp = await TcpServer.listen(place, answererThatFails(fail), note, note);

      const udp = createSocket("udp4");
      const tcp = connect(port, "127.0.0.1");
      try {
        udp.send(framedQuery, port, "127.0.0.1");
        await eventually("the failure over UDP", () => assert.equal(failures.length, 1), {
          withinMs: 20_000,
        });
        udp.send(framedQuery, port, "127.0.0.1");
        await once(udp, "message");

        tcp.write(framedQuery);
        await eventually("the failure over TCP", () => assert.equal(failures.length, 2), {
          withinMs: 20_000,
        });
        const other = connect(port, "127.0.0.1");
        other.write(framedQuery);
        await once(other, "data");
        other.destroy();
      } finally {
        udp.close();
        tcp.destroy();
      }
      assert.deepEqual(
        escapes.kinds.filter((kind) => kind !== "contained"),
        [],
      );
    });
  }
});
