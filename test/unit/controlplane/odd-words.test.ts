/** What a proxy or an operator says that is no such thing is nothing, and ends no stream with a fault. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseProxy } from "../../../src/controlplane/model/proxy.ts";
import { debugPage } from "../../../src/controlplane/push/debug-stream.ts";
import { ConnectionTable } from "../../../src/controlplane/push/status.ts";

test("a label with the place that is a number says none", () => {
  const proxy = parseProxy({
    id: "sidecar~10.0.0.1~web.demo~demo.svc.cluster.local",
    metadata: { LABELS: { "istio-locality": 5 } },
  });
  assert.equal(proxy?.locality, "");
});

test("there is no debug page whose name is no path", () => {
  assert.equal(debugPage("http://[", new ConnectionTable()), undefined);
});
