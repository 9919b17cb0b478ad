import assert from "node:assert/strict";
import { test } from "node:test";
import { shownConfig } from "../../../src/agent/shown-config.ts";
import { parseConfig } from "../../../src/config/parse-config.ts";
import { configSources } from "../../support/config-sources.ts";

test("the configuration is shown whole and as JSON, without its secrets", () => {
  const config = parseConfig(
    configSources({
      env: {
        POD_NAME: "hunter3-hunter3",
        ISTIO_KUBE_APP_PROBERS: '{"/app-health/web/livez":{"tcpSocket":{"port":8080}}}',
        PROXY_CONFIG: JSON.stringify({
          tracing: { lightstep: { address: "lightstep:443", accessToken: "hunter2-hunter2" } },
        }),
      },
    }),
  );
  const text = JSON.stringify(shownConfig(config, ["hunter3-hunter3"]));
  assert.ok(!text.includes("hunter2"), "a secret by its name");
  assert.ok(!text.includes("hunter3"), "a secret by its value");
  const shown = JSON.parse(text) as Record<string, { readonly probers?: unknown; readonly port?: number }>;
  assert.deepEqual(
    Object.keys(shown).toSorted(),
    Object.keys(JSON.parse(JSON.stringify(config)) as object).toSorted(),
  );
  assert.deepEqual(shown["appProbes"]?.probers, {
    "/app-health/web/livez": { kind: "tcp", port: 8_080, timeoutMs: 0 },
  });
  assert.equal(shown["status"]?.port, 15_020);
});
