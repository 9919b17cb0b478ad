import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConfigObject } from "../../../../src/controlplane/config/objects.ts";
import { ConfiguredModels } from "../../../../src/controlplane/model/configured-models.ts";
import type { Configuration } from "../../../../src/controlplane/registry/registry.ts";
import { Watch } from "../../../../src/lifecycle/watch.ts";
import { manyTurns } from "../../../support/many-turns.ts";
import { testLog } from "../../../support/test-log.ts";

function configurationOf(...objects: readonly ConfigObject[]): Configuration {
  return { objects, problems: [], loadedAt: new Date(0), originals: new Map() };
}

const head = { kind: "WorkloadEntry", namespace: "demo", source: "demo.yaml", line: 1 } as const;

/** Of this no model can be made, though nothing was wrong with it when it was read. */
const unforeseen: ConfigObject = {
  ...head,
  name: "odd",
  get spec(): never {
    throw new Error("unforeseen");
  },
};

const entry: ConfigObject = {
  ...head,
  name: "api",
  spec: {
    address: "10.0.0.1",
    ports: undefined,
    labels: undefined,
    serviceAccount: undefined,
    weight: undefined,
  },
};

test("a configuration of which no model can be made costs itself, not those after it", async () => {
  const configuration = new Watch(configurationOf());
  const { log, lines } = testLog();
  const settings = { trustDomains: ["cluster.local"], rootNamespace: "istio-system" };
  await using models = new ConfiguredModels(configuration, settings, log);
  await manyTurns();
  configuration.set(configurationOf(unforeseen));
  await manyTurns();
  assert.equal(models.models.current.number, 1);
  assert.match(lines.join("\n"), /cannot be served, the last one stays.*unforeseen/);
  configuration.set(configurationOf(entry));
  await manyTurns();
  assert.equal(models.models.current.number, 2);
});
