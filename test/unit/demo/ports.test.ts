import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, test } from "node:test";
import { takenPorts } from "../../../src/demo/ports.ts";

describe("takenPorts()", () => {
  test("tells of a port of the mesh and of one that a folder has for an application", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    try {
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      const [ofMesh = "", ...others] = takenPorts(new Map([["web.admin", port]]));
      assert.match(ofMesh, /web\.admin/);
      assert.deepEqual(others, []);
      assert.match(takenPorts(new Map(), { web: port }).join("\n"), /web\.application.*--configDir/);
    } finally {
      server.close();
    }
  });
});
