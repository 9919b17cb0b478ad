import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigError, describeProblem } from "../../../../src/schema/config-problem.ts";
import { parseConfig } from "../../../../src/config/parse-config.ts";
import type { WasmOptions } from "../../../../src/wasm/options.ts";
import { configSources } from "../../../support/config-sources.ts";

function optionsOf(env: Record<string, string>): WasmOptions | undefined {
  return parseConfig(configSources({ env })).wasm;
}

describe("the options of Wasm modules", () => {
  test("are Istio's unless something is set", () => {
    const options = optionsOf({});
    assert.deepEqual(
      { ...options, refetch: undefined },
      {
        folder: "/var/lib/istio/data",
        insecureRegistries: [],
        blockedCidrs: [],
        moduleExpiryMs: 86_400_000,
        purgeIntervalMs: 3_600_000,
        requestTimeoutMs: 15_000,
        maxAttempts: 5,
        refetch: undefined,
        tlsPolicy: undefined,
        maxModuleBytes: 268_435_456,
        dockerConfigPath: undefined,
      },
    );
  });

  test("come from Istio's variables, and can be switched off", () => {
    const options = optionsOf({
      WASM_INSECURE_REGISTRIES: " localhost:5000, registry.example ,",
      BLOCKED_CIDRS_IN_WASM_FETCH: "10.0.0.0/8,fd00::/8",
      WASM_MODULE_EXPIRY: "2h",
      WASM_HTTP_REQUEST_MAX_RETRIES: "1",
      ISTIO_WASM_MAX_BINARY_SIZE_BYTES: "1000",
      DOCKER_CONFIG: "/etc/docker",
      COMPLIANCE_POLICY: "fips-140-2",
    });
    assert.deepEqual(options?.insecureRegistries, ["localhost:5000", "registry.example"]);
    assert.deepEqual(options.blockedCidrs, ["10.0.0.0/8", "fd00::/8"]);
    assert.deepEqual(
      [options.moduleExpiryMs, options.maxAttempts, options.maxModuleBytes],
      [7_200_000, 1, 1_000],
    );
    assert.equal(options.dockerConfigPath, "/etc/docker/config.json");
    assert.equal(options.tlsPolicy?.maxVersion, "TLSv1.2");
    assert.equal(optionsOf({ HOME: "/home/app" })?.dockerConfigPath, "/home/app/.docker/config.json");
    assert.equal(optionsOf({ ISTIO_AGENT_ENABLE_WASM_REMOTE_LOAD_CONVERSION: "false" }), undefined);
  });

  test("are refused, all at once, when they would protect nothing or never end", () => {
    const env = {
      BLOCKED_CIDRS_IN_WASM_FETCH: "10.0.0.0/8,10.0.0.1,metadata",
      WASM_PURGE_INTERVAL: "0s",
      WASM_HTTP_REQUEST_TIMEOUT: "-1s",
      ISTIO_WASM_MAX_BINARY_SIZE_BYTES: "0",
    };
    assert.throws(
      () => optionsOf(env),
      (error) => {
        assert.ok(error instanceof ConfigError);
        const lines = error.problems.map(describeProblem);
        assert.equal(lines.length, 5, lines.join("\n"));
        assert.ok(lines.some((line) => line.includes('"10.0.0.1" is not a range of addresses')));
        assert.ok(lines.some((line) => line.includes("WASM_PURGE_INTERVAL: 0s is not a duration from 1ms")));
        return true;
      },
    );
  });

  test("never ask for a timer that Node.js does not have", () => {
    assert.equal(optionsOf({ WASM_PURGE_INTERVAL: "10000h" })?.purgeIntervalMs, 2_147_483_647);
  });
});
