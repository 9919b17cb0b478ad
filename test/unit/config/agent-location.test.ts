import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { locateAgent } from "../../../src/config/agent-location.ts";
import type { FileContent } from "../../../src/config/sources/config-sources.ts";

const files =
  (contents: Readonly<Record<string, string>>) =>
  (path: string): FileContent => {
    const text = contents[path];
    return text === undefined ? { kind: "missing" } : { kind: "read", text };
  };

describe("locateAgent()", () => {
  test("finds Istio's defaults when nothing is said", () => {
    assert.deepEqual(locateAgent({ env: {}, flags: {}, readFile: files({}) }), {
      configPath: "./etc/istio/proxy",
      statusPort: 15020,
      adminPort: 15000,
      envoyStatusPort: 15021,
    });
  });

  test("reads the same layers as the agent, the annotation last", () => {
    const location = locateAgent({
      flags: { meshConfig: ["./mesh"] },
      env: { PROXY_CONFIG: "{statusPort: 1, proxyAdminPort: 2}", ENVOY_STATUS_PORT: "3" },
      readFile: files({
        "./mesh": "defaultConfig: {configPath: /run/proxy, statusPort: 9}",
        "./etc/istio/pod/annotations": 'proxy.istio.io/config="statusPort: 4"\n',
      }),
    });
    assert.deepEqual(location, { configPath: "/run/proxy", statusPort: 4, adminPort: 2, envoyStatusPort: 3 });
  });

  test("answers with defaults where a source cannot be read", () => {
    const location = locateAgent({ env: { PROXY_CONFIG: "{" }, flags: {}, readFile: files({}) });
    assert.equal(location.statusPort, 15020);
  });
});
