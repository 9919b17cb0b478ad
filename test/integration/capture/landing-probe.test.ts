import assert from "node:assert/strict";
import { test } from "node:test";
import { probeLanding } from "../../../src/capture/proof/landing-probe.ts";
import { silentServer } from "../../support/silent-server.ts";
import { holdUp } from "../../support/hold-up.ts";

test("a connection that is there is found by a process that was held up for longer than it waits", async () => {
  await using server = await silentServer();
  const probe = probeLanding("127.0.0.1", server.port, 20);
  holdUp(200);
  assert.deepEqual(await probe, { kind: "here", port: server.port });
});
