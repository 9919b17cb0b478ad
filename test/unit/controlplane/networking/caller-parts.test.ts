/** What is made for callers of a place goes with the last of them, though what they call stays. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { parseDocuments } from "../../../../src/controlplane/config/parse-documents.ts";
import { buildModel } from "../../../../src/controlplane/model/build-model.ts";
import { callerOf } from "../../../../src/controlplane/model/caller.ts";
import { parseProxy } from "../../../../src/controlplane/model/proxy.ts";
import { generateEndpoints } from "../../../../src/controlplane/networking/eds.ts";
import { TranslationMemo } from "../../../../src/controlplane/networking/translation-memo.ts";
import { callerViewOf } from "../../../../src/controlplane/networking/view.ts";

const mesh = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: api, namespace: demo }
spec:
  hosts: [api.demo]
  resolution: STATIC
  ports: [{ number: 80, name: http }]
  endpoints: [{ address: 10.0.0.2, locality: eu }, { address: 10.0.0.3, locality: us }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: api, namespace: demo }
spec: { host: api.demo, trafficPolicy: { outlierDetection: {} } }
`;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

test("endpoints for a place stay as long as a caller is there, and no longer", async () => {
  const model = buildModel(parseDocuments("mesh.yaml", mesh).objects, {
    trustDomains: ["cluster.local"],
    rootNamespace: "istio-system",
  });
  const memo = new TranslationMemo();
  const called = (caller: ReturnType<typeof callerOf>): object => {
    const [first] = generateEndpoints(callerViewOf(model, caller, memo));
    assert.ok(first !== undefined);
    return first;
  };
  const from = (region: string): ReturnType<typeof callerOf> => {
    const proxy = parseProxy({ id: "sidecar~10.0.0.1~web.demo~x", metadata: {}, locality: { region } });
    assert.ok(proxy !== undefined);
    return callerOf(proxy, model);
  };
  const stays = from("us");
  const kept = new WeakRef(called(stays));
  const gone = new WeakRef(called(from("eu")));
  for (let turn = 0; turn < 20 && gone.deref() !== undefined; turn += 1) {
    await setImmediate();
    collect();
  }
  assert.equal(gone.deref(), undefined);
  assert.equal(kept.deref(), called(from("us")), "callers of one place share what is made for it");
  assert.notEqual(called(stays), called(from("eu")));
});
