import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { describe, test } from "node:test";
import { Arrivals } from "../../../src/net/arrivals.ts";

const clients = 300;

/** Pieces of work that are done until everybody who has come at once is taken in. */
async function piecesUntilAllAreIn(
  arrivals: Arrivals,
  between: (arrivals: Arrivals) => Promise<void>,
): Promise<number> {
  const sockets: Socket[] = [];
  const accepted: Socket[] = [];
  const server: Server = createServer((socket) => {
    accepted.push(socket);
    arrivals.arrived();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  for (let client = 0; client < clients; client += 1) sockets.push(connect(port, "127.0.0.1"));
  let pieces = 0;
  for (; accepted.length < clients; pieces += 1) await between(arrivals);
  for (const socket of [...sockets, ...accepted]) socket.destroy();
  server.close();
  return pieces;
}

describe("work beside a server", () => {
  test("gives way to all who have come, not to one at a time", async () => {
    const oneByOne = await piecesUntilAllAreIn(
      new Arrivals(),
      () =>
        new Promise((resolve) => {
          setImmediate(resolve);
        }),
    );
    assert.ok(oneByOne > clients / 2, `Node.js takes more in at once: ${oneByOne}`);
    const pieces = await piecesUntilAllAreIn(new Arrivals(), (arrivals) => arrivals.giveWay());
    assert.ok(pieces < clients / 10, `${pieces} pieces of work`);
  });

  test("is not stopped by those who come for ever", async () => {
    const arrivals = new Arrivals();
    let isOver = false;
    const come = (): void => {
      arrivals.arrived();
      if (!isOver) setImmediate(come);
    };
    come();
    await arrivals.giveWay();
    isOver = true;
  });
});
