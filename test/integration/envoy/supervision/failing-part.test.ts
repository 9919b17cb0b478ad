import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { launchOf } from "../../../../src/config/launch.ts";
import { parseConfig } from "../../../../src/config/parse-config.ts";
import type { Generation } from "../../../../src/envoy/generation/generation.ts";
import { EnvoySupervisor } from "../../../../src/envoy/supervision/supervisor.ts";
import { sleep } from "../../../../src/lifecycle/sleep.ts";
import { Watch } from "../../../../src/lifecycle/watch.ts";
import { configSources } from "../../../support/config-sources.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { testLog } from "../../../support/test-log.ts";

test("a supervisor whose own part fails ends its Envoy, starts no other, and leaves nobody without an answer", async () => {
  using folder = temporaryFolder();
  const binary = join(folder.path, "envoy");
  // It serves nothing: what counts is whether it is started and ended.
  writeFileSync(binary, "#!/bin/sh\nexec sleep 60\n", { mode: 0o755 });
  const config = parseConfig(configSources({ env: { PROXY_CONFIG: `configPath: ${folder.path}/proxy` } }));
  const started: Generation[] = [];
  const supervisor = new EnvoySupervisor({
    launch: launchOf(config, binary),
    supervision: config.supervision,
    ownPids: [process.pid],
    knownPorts: [],
    newcomers: new Watch(undefined),
    childChanges: new Watch(0),
    log: testLog().log,
    onLogLine: () => undefined,
    observer: {
      started: (generation) => {
        started.push(generation);
        throw new Error("an observer fails");
      },
      proven: () => undefined,
      ending: () => undefined,
      ended: () => undefined,
    },
    explain: () => ({ reason: "exited", message: "has ended", exitCode: 1 }),
    memory: () => undefined,
  });
  const never = new AbortController().signal;
  const run = supervisor.run({ shutdown: never, applicationEnded: never, hurry: never });
  const asked = supervisor.swap(launchOf(config, binary), "reload", true);

  await assert.rejects(run, /an observer fails/);
  assert.deepEqual(await asked, { result: "stopped" });
  assert.deepEqual(await supervisor.swap(launchOf(config, binary), "reload", true), { result: "stopped" });
  await sleep(500);
  assert.equal(started.length, 1);
  assert.ok(!existsSync(`/proc/${started[0]?.pid}`), "its Envoy has ended");
});
