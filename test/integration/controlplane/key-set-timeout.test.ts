/** How long a fetch of keys may take is as the newest rule says. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import { parseDocuments } from "../../../src/controlplane/config/parse-documents.ts";
import { KeyedModels } from "../../../src/controlplane/jwks/keyed-models.ts";
import { buildModel } from "../../../src/controlplane/model/build-model.ts";
import type { PublishedModel } from "../../../src/controlplane/model/configured-models.ts";
import { Watch } from "../../../src/lifecycle/watch.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { eventually } from "../../support/eventually.ts";
import { testLog } from "../../support/test-log.ts";

test("a longer time for keys is given to the next fetch", async () => {
  const slow = createServer((_request, response) => {
    void sleep(400).then(() => response.end('{"keys":[{"kty":"oct","k":"YQ"}]}'));
  }).listen(0, "127.0.0.1");
  await once(slow, "listening");
  const { port } = slow.address() as AddressInfo;
  const modelOf = (timeout: string): PublishedModel["model"] => {
    const { objects } = parseDocuments(
      "a.yaml",
      `{apiVersion: security.istio.io/v1, kind: RequestAuthentication, metadata: {name: a, namespace: demo}, spec: {jwtRules: [{issuer: a, jwksUri: "http://127.0.0.1:${port}/", timeout: ${timeout}}]}}`,
    );
    return buildModel(objects, { trustDomains: ["cluster.local"], rootNamespace: "istio-system" });
  };
  const configured = new Watch<PublishedModel>({ number: 1, model: modelOf("50ms") });
  const reports = { log: testLog().log, metrics: new Metrics("test_") };
  const keyed = await KeyedModels.open(configured, {}, reports);
  try {
    configured.set({ number: 2, model: modelOf("60s") });
    await eventually(
      "the keys are there",
      () => {
        const [rule] = keyed.models.current.model.requestAuthentications[0]?.spec.jwtRules ?? [];
        assert.notEqual(rule?.jwks, undefined);
      },
      { withinMs: 60_000 },
    );
  } finally {
    await keyed[Symbol.asyncDispose]();
    slow.close();
  }
});
