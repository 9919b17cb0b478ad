/** What is wrong with an object costs that object its change only, across a restart, too. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ConfigObject } from "../../../../../src/controlplane/config/objects.ts";
import { WantedStatuses } from "../../../../../src/controlplane/object-status/wanted-status.ts";
import {
  type ClusterConfig,
  ClusterReader,
} from "../../../../../src/controlplane/registry/kubernetes/cluster-config.ts";

const policy = (rule: object): object => ({
  apiVersion: "security.istio.io/v1",
  kind: "AuthorizationPolicy",
  metadata: { name: "deny", namespace: "demo" },
  spec: { action: "DENY", rules: [rule] },
});

function read(reader: ClusterReader, ...objects: readonly object[]): ClusterConfig {
  const written = objects.map((object) => ({ kind: "AuthorizationPolicy", object: { ...object } }));
  const cluster = { services: [], slices: [], pod: () => undefined, node: () => undefined };
  return reader.read({ pods: [], written, cluster });
}

/** As it comes back from a file. */
function kept(objects: readonly ConfigObject[]): readonly ConfigObject[] {
  return JSON.parse(JSON.stringify(objects)) as readonly ConfigObject[];
}

describe("a cluster that is read", () => {
  test("keeps the last good state of a policy whose change is refused, whoever read it", () => {
    const reader = new ClusterReader("cluster.local");
    const { objects } = read(reader, policy({}));
    assert.equal(objects.length, 1);
    const refused = read(reader, policy({ bogus: 1 }));
    assert.deepEqual([refused.objects, refused.problems.length], [objects, 1]);
    const restarted = new ClusterReader("cluster.local", kept(refused.objects));
    assert.deepEqual(read(restarted, policy({ bogus: 1 })).objects, kept(objects));
    assert.deepEqual(read(restarted).objects, [], "gone is gone");
  });

  test("takes what a Pod comes to for nobody's last good state", () => {
    const made: ConfigObject = {
      ...{ kind: "AuthorizationPolicy", name: "deny", namespace: "demo", source: "Pod demo/deny", line: 0 },
      spec: {},
    };
    const reader = new ClusterReader("cluster.local", [made]);
    assert.deepEqual(read(reader, policy({ bogus: 1 })).objects, []);
  });

  test("has the status of each object that is refused say so, however many there are", () => {
    const named = Array.from({ length: 150 }, (_, number) => ({
      ...policy({ bogus: 1 }),
      metadata: { name: `deny-${number}`, namespace: "demo", generation: 1 },
    }));
    const config = read(new ClusterReader("cluster.local"), ...named);
    const statuses = [...new WantedStatuses().of({ ...config, loadedAt: new Date(0) }).values()];
    assert.equal(statuses.length, 150);
    for (const status of statuses) {
      assert.ok(status.kind === "istio");
      assert.deepEqual(
        status.conditions.map(({ type, isTrue }) => [type, isTrue]),
        [
          ["Reconciled", false],
          ["PassedAnalysis", false],
        ],
      );
    }
  });
});
