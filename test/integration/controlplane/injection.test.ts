/** What pods are injected with follows its file, and stays where the file is broken. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readProxyConfig } from "../../../src/config/proxy-config/injected.ts";
import { parseMeshConfigFile } from "../../../src/controlplane/config/parse-mesh-config.ts";
import type { ConfigObject } from "../../../src/controlplane/config/objects.ts";
import { CurrentInjection } from "../../../src/controlplane/injection.ts";
import { injectPod } from "../../../src/controlplane/inject/inject-pod.ts";
import { KubernetesApi } from "../../../src/controlplane/kubernetes/api.ts";
import { TaskGroup } from "../../../src/lifecycle/task-group.ts";
import { Watch } from "../../../src/lifecycle/watch.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { eventually } from "../../support/eventually.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { testLog } from "../../support/test-log.ts";

const withinMs = 30_000;

test("values that cannot be used are refused at the start, and cost nothing later", async () => {
  using folder = temporaryFolder();
  const valuesFile = join(folder.path, "values");
  using api = new KubernetesApi({
    server: "https://127.0.0.1:1",
    credentials: () => Promise.reject(new Error()),
  });
  const { log, lines } = testLog();
  const open = (): CurrentInjection =>
    new CurrentInjection(
      {
        ...{ valuesFile, release: "1.0.0", readProxyConfig, revision: "default", trustDomain: "example.org" },
        ...{ debounceMs: 10, debounceMaxMs: 100 },
      },
      { api, configuration: new Watch({ objects: [] }), metrics: new Metrics("test_"), log },
    );
  assert.throws(open, /values: cannot be read/);
  writeFileSync(valuesFile, "global: { hub: [], proxy: { statusPort: many } }");
  assert.throws(
    open,
    /values: global\.hub: .*\n.*values: global\.proxy\.statusPort: "many" is not a whole number/,
  );
  writeFileSync(valuesFile, "global: { hub: one }");
  const injection = open();
  const hub = (): string => injection.state.settings.values.image.hub;
  assert.equal(hub(), "one");
  assert.equal(injection.state.hasNativeSidecars, false, "nobody knows the nodes");

  await using tasks = new TaskGroup();
  const follow = injection.followed["follow-injection-values"];
  assert.ok(follow !== undefined);
  tasks.spawn("follow", follow);
  writeFileSync(valuesFile, "global: { hub: two, logAsJson: perhaps }");
  await eventually("a line about the broken file", () => assert.match(lines.join("\n"), /logAsJson/), {
    withinMs,
  });
  assert.equal(hub(), "one");
  writeFileSync(valuesFile, "global: { hub: three }");
  await eventually("the new values", () => assert.equal(hub(), "three"), { withinMs });
});

test("a mesh's settings that agents could not use cost pods alone, until they are right", async () => {
  using api = new KubernetesApi({
    server: "https://127.0.0.1:1",
    credentials: () => Promise.reject(new Error()),
  });
  const { log, lines } = testLog();
  const meshOf = (text: string): { readonly objects: readonly ConfigObject[] } => ({
    objects: parseMeshConfigFile("mesh", text).objects,
  });
  const configuration = new Watch(meshOf("defaultConfig: { concurrency: many }"));
  const injection = new CurrentInjection(
    {
      ...{ release: "1.0.0", readProxyConfig, revision: "default", trustDomain: "example.org" },
      ...{ debounceMs: 10, debounceMaxMs: 100 },
    },
    { api, configuration, metrics: new Metrics("test_"), log },
  );
  assert.match(lines.join("\n"), /no pod is injected until this is right.*concurrency/);
  const place = {
    ...{ namespace: "demo", owner: { name: "web", kind: "Pod", apiVersion: "v1" } },
    hasNativeSidecars: false,
  };
  const outcome = (): string =>
    injectPod({ metadata: {}, spec: { containers: [{ name: "web" }] } }, place, injection.state.settings)
      .kind;
  assert.equal(outcome(), "refused");

  await using tasks = new TaskGroup();
  const follow = injection.followed["follow-mesh-settings"];
  assert.ok(follow !== undefined);
  tasks.spawn("follow", follow);
  configuration.set(meshOf("defaultConfig: { concurrency: 2 }"));
  await eventually("settings that are right", () => assert.equal(outcome(), "injected"), { withinMs });
  configuration.set(meshOf("defaultConfig: { concurrency: several }"));
  await eventually("a line about them", () => assert.match(lines.join("\n"), /several/), { withinMs });
  assert.equal(outcome(), "injected");
});
