/** The key and the connection for the first certificate, each made while the other is. */
import assert from "node:assert/strict";
import type { KeyObject } from "node:crypto";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { test } from "node:test";
import { SecretManager } from "../../../src/identity/secret-manager.ts";
import { TaskGroup } from "../../../src/lifecycle/task-group.ts";
import { Watch } from "../../../src/lifecycle/watch.ts";
import { generatePrivateKey } from "../../../src/pki/key-pair.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { TestCa } from "../../support/ca.ts";
import { identityOptions } from "../../support/identity-options.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { testLog } from "../../support/test-log.ts";

test("the CA is connected with while the key is made, and that key is signed on that connection", async () => {
  using folder = temporaryFolder();
  await using ca = await TestCa.listen();
  const [host = "", port = ""] = ca.address.split(":");
  let connections = 0;
  await using relay = createServer((socket) => {
    connections += 1;
    const onward = connect(Number(port), host);
    socket.pipe(onward).pipe(socket);
    for (const end of [socket, onward]) end.on("error", () => undefined);
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  const address = relay.address();
  assert.ok(address !== null && typeof address === "object");
  const options = identityOptions(folder.path, ca, { caAddress: `127.0.0.1:${address.port}` });
  const given = Promise.withResolvers<KeyObject>();
  const connected = once(relay, "connection");
  const manager = SecretManager.create(options, {
    ...{ log: testLog().log, metrics: new Metrics("istio_agent_"), now: () => new Date() },
    ...{ trustBundles: new Watch<readonly string[]>([]), firstKey: given.promise },
  });
  await using tasks = new TaskGroup();
  tasks.spawn("rotate", (signal) => manager.run(signal));
  await connected;
  assert.equal(ca.calls.length, 0);
  const key = await generatePrivateKey(options.key);
  given.resolve(key);
  for await (const { secret } of manager.state.changes(tasks.signal)) {
    if (secret === undefined) continue;
    assert.equal(secret.privateKeyPem, key.export({ format: "pem", type: "sec1" }));
    break;
  }
  assert.deepEqual([ca.calls.length, connections], [1, 1]);
});
