/** What one client over TCP can cost, and what it gets in the end. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, test } from "node:test";
import { TcpServer } from "../../../src/dns/serve/tcp-server.ts";
import { framed, FrameReader } from "../../../src/dns/wire/frames.ts";
import { eventually } from "../../support/eventually.ts";

/** Is answered at once, with itself. */
const plain = Buffer.from("plain");
const special = Buffer.from("special");

interface Scene {
  readonly socket: Socket;
  /** How many special ones have been asked. */
  readonly asked: () => number;
  /** Resolves when the server has got around to whatever arrived before. */
  readonly turn: () => Promise<void>;
}

async function withServer(
  answer: () => Buffer | Promise<Buffer>,
  run: (scene: Scene) => Promise<void>,
): Promise<void> {
  let asked = 0;
  const failures: unknown[] = [];
  const answerer = {
    answer: (message: Buffer) => {
      if (message.equals(plain)) return plain;
      asked += 1;
      return answer();
    },
  };
  const note = (error: unknown): void => {
    failures.push(error);
  };
  await using server = await TcpServer.listen({ host: "127.0.0.1", port: 0 }, answerer, note, note);
  const socket = connect({ port: server.port, host: "127.0.0.1", allowHalfOpen: true });
  try {
    await run({
      socket,
      asked: () => asked,
      turn: async () => {
        const other = connect(server.port, "127.0.0.1");
        other.write(framed(plain));
        await once(other, "data");
        other.destroy();
      },
    });
  } finally {
    socket.destroy();
  }
  assert.deepEqual(failures, []);
}

/** Counts whole messages that arrive from now on. */
function counted(socket: Socket): () => number {
  const frames = new FrameReader();
  let messages = 0;
  socket.on("data", (bytes) => {
    messages += [...frames.take(bytes)].length;
  });
  return () => messages;
}

describe("a client over TCP", () => {
  test("that reads nothing is not answered further until it reads", () =>
    withServer(
      () => Buffer.alloc(60_000),
      async ({ socket, asked, turn }) => {
        const queries = 1_000;
        socket.write(Buffer.concat(Array.from({ length: queries }, () => framed(special))));
        await eventually("a query", () => assert.ok(asked() > 0), { withinMs: 20_000 });
        await turn();
        assert.ok(asked() < queries / 2, `${asked()} answers are waiting`);
        const received = counted(socket);
        await eventually("every answer", () => assert.equal(received(), queries), { withinMs: 20_000 });
      },
    ));

  test("that asks much at once has so many open and no more, and is answered all of it", () => {
    const open: PromiseWithResolvers<Buffer>[] = [];
    return withServer(
      () => {
        const answer = Promise.withResolvers<Buffer>();
        open.push(answer);
        return answer.promise;
      },
      async ({ socket, asked, turn }) => {
        const queries = 200;
        const received = counted(socket);
        socket.write(Buffer.concat(Array.from({ length: queries }, () => framed(special))));
        await eventually("queries", () => assert.ok(asked() >= 64), { withinMs: 20_000 });
        await turn();
        assert.equal(asked(), 64);
        await eventually(
          "every answer",
          () => {
            for (const { resolve } of open.splice(0)) resolve(special);
            assert.equal(received(), queries);
          },
          { withinMs: 20_000 },
        );
      },
    );
  });

  test("that ends its side after its queries is still answered, and then the connection ends", () => {
    const answer = Promise.withResolvers<Buffer>();
    return withServer(
      () => answer.promise,
      async ({ socket, asked, turn }) => {
        const received = counted(socket);
        const ended = once(socket, "end");
        socket.end(Buffer.concat([framed(special), framed(special)]));
        await eventually("queries", () => assert.equal(asked(), 2), { withinMs: 20_000 });
        await turn();
        answer.resolve(special);
        await ended;
        assert.equal(received(), 2);
      },
    );
  });
});
