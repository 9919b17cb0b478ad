/** What the proxy of a file of `golden/translate` would answer to /config_dump, from the translation alone. */
import assert from "node:assert/strict";
import { configDumpOf } from "../../src/controlplane/push/config-dump.ts";
import { type ConfigDump, readConfigDump } from "../../src/ctl/proxy/config-dump.ts";
import { takeSnapshot } from "./snapshot-of.ts";
import { translationScene } from "./translation-scene.ts";

/** As JSON. */
export function translatedDumpJson(behaviour: string): object {
  const { model, proxy } = translationScene(behaviour);
  const { resources, faults } = takeSnapshot(model, proxy);
  assert.deepEqual(faults, []);
  return configDumpOf(resources);
}

export function translatedDump(behaviour: string): ConfigDump {
  const dump = readConfigDump(translatedDumpJson(behaviour));
  assert.ok(dump !== undefined);
  return dump;
}
