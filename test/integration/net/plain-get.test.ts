/** Short answers over plain HTTP/1.1, whole or not at all. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { join } from "node:path";
import { describe, test } from "node:test";
import { plainGet } from "../../../src/net/plain-get.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const patienceMs = 30_000;

/** A server on a Unix socket. */
async function serving(listener: RequestListener) {
  const folder = temporaryFolder();
  const path = join(folder.path, "socket");
  const server = createServer(listener);
  server.listen(path);
  await once(server, "listening");
  return {
    path,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

describe("plainGet()", () => {
  test("gives the whole answer with its status, however many pieces it comes in, and leaves no connection", async () => {
    const parts = ["a".repeat(40_000), "b", "c".repeat(20_000)];
    await using server = await serving((request, response) => {
      assert.equal(request.url, "/stats?filter=x");
      assert.equal(request.headers.connection, "close");
      response.writeHead(503);
      for (const part of parts) response.write(part);
      response.end();
    });
    const { status, body } = await plainGet({ path: server.path }, "/stats?filter=x", patienceMs);
    assert.deepEqual([status, body.toString()], [503, parts.join("")]);
  });

  test("names the place and the path of an answer that comes too late", async () => {
    await using server = await serving((_, response) => void response.write("not all"));
    await assert.rejects(plainGet({ path: server.path }, "/stats?filter=x", 100), {
      code: "TOO_LATE",
      message: `${server.path} did not answer /stats within 100 ms`,
    });
  });

  test("fails with the system's error where nobody listens", async () => {
    await assert.rejects(plainGet({ path: "/nowhere/socket" }, "/", patienceMs), { code: "ENOENT" });
  });
});
