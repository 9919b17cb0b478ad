/** What the folder declares of a proxy counts with the model that it is pushed, however many come while one is translated. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDocuments } from "../../../../src/controlplane/config/parse-documents.ts";
import type { BindingPolicy, Peer } from "../../../../src/controlplane/model/bind-proxy.ts";
import { buildModel } from "../../../../src/controlplane/model/build-model.ts";
import type { PublishedModel } from "../../../../src/controlplane/model/configured-models.ts";
import type { Model } from "../../../../src/controlplane/model/model.ts";
import { parseProxy } from "../../../../src/controlplane/model/proxy.ts";
import { takeBound } from "../../../../src/controlplane/push/bound-snapshot.ts";
import { Translations } from "../../../../src/controlplane/push/translations.ts";
import { Watch } from "../../../../src/lifecycle/watch.ts";

const modelOf = (...workloads: readonly string[]): Model =>
  buildModel(
    workloads.flatMap(
      (spec) =>
        parseDocuments(
          "w.yaml",
          `{apiVersion: networking.istio.io/v1, kind: WorkloadEntry, metadata: {name: w, namespace: demo}, spec: ${spec}}`,
        ).objects,
    ),
    { trustDomains: ["cluster.local"], rootNamespace: "istio-system" },
  );

const labelled = (labels: string): Model =>
  modelOf(`{address: 10.0.0.1, serviceAccount: web, labels: {${labels}}}`);

const said = parseProxy({
  id: "sidecar~10.0.0.1~web.demo~demo.svc.cluster.local",
  metadata: { LABELS: { app: "web", tier: "hidden" } },
});
const peer: Peer = { identity: { namespace: "demo", serviceAccount: "web" }, address: "10.0.0.1" };
const policy: BindingPolicy = { binding: "workload", trustsAddresses: false };

describe("a model that comes while another is translated", () => {
  async function taken(next: Model): Promise<{ readonly number: number; readonly labels: object }> {
    assert.ok(said !== undefined);
    const models = new Watch<PublishedModel>({ number: 1, model: labelled("app: web") });
    using translation = new Translations(models, { tell: () => undefined }).open();
    const taking = takeBound(said, { models, peer, policy }, translation);
    models.set({ number: 2, model: next });
    const { bound, snapshot } = await taking;
    return { number: snapshot.number, labels: bound.proxy.labels };
  }

  test("gives the proxy the labels that it declares", async () => {
    assert.deepEqual(await taken(labelled("app: web, tier: hidden")), {
      number: 2,
      labels: { app: "web", tier: "hidden" },
    });
  });

  test("refuses a proxy that it does not declare any more", async () => {
    await assert.rejects(taken(modelOf()), { code: "PERMISSION_DENIED" });
  });
});
