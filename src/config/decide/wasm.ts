/**
 * Options of fetching Wasm modules, from Istio's variables.
 */
import { join } from "node:path";
import type { Backoff } from "../../lifecycle/backoff.ts";
import { bracketed } from "../../net/host-port.ts";
import { isCidr } from "../../net/cidr.ts";
import type { WasmOptions } from "../../wasm/options.ts";
import { compliantTls } from "./compliance.ts";
import { type ConfigProblem, shown } from "../../schema/config-problem.ts";
import type { Environment } from "../sources/environment.ts";

/** Longest time that a timer of Node.js can wait, in milliseconds. */
const longestTimerMs = 2_147_483_647;

/** How often a module is tried that could not be had: many sidecars wait for one registry. */
const refetch: Backoff = { initialMs: 5_000, multiplier: 2, maxMs: 600_000, jitter: 0.5 };

/** Where an image without a pull secret finds credentials, below the home of the user. */
const dockerConfig = ".docker";

/** Undefined leaves remote modules to Envoy. Each value that cannot be used adds a problem. */
export function wasmOptions(
  env: Environment,
  folder: string,
  problems: ConfigProblem[],
): WasmOptions | undefined {
  if (!env.ISTIO_AGENT_ENABLE_WASM_REMOTE_LOAD_CONVERSION) return undefined;
  const blockedCidrs = listOf(env.BLOCKED_CIDRS_IN_WASM_FETCH);
  for (const cidr of blockedCidrs) {
    if (isCidr(cidr)) continue;
    const message = `${shown(cidr)} is not a range of addresses such as 10.0.0.0/8 or fd00::/8`;
    problems.push({ source: "BLOCKED_CIDRS_IN_WASM_FETCH", path: "", message });
  }
  const dockerFolder = env.DOCKER_CONFIG || (env.HOME === "" ? undefined : join(env.HOME, dockerConfig));
  return {
    folder,
    insecureRegistries: listOf(env.WASM_INSECURE_REGISTRIES).map(bracketed),
    blockedCidrs: blockedCidrs.filter(isCidr),
    moduleExpiryMs: env.WASM_MODULE_EXPIRY,
    purgeIntervalMs: Math.min(env.WASM_PURGE_INTERVAL, longestTimerMs),
    requestTimeoutMs: Math.min(env.WASM_HTTP_REQUEST_TIMEOUT, longestTimerMs),
    maxAttempts: env.WASM_HTTP_REQUEST_MAX_RETRIES,
    refetch,
    tlsPolicy: compliantTls(env.COMPLIANCE_POLICY).policy,
    maxModuleBytes: env.ISTIO_WASM_MAX_BINARY_SIZE_BYTES,
    dockerConfigPath: dockerFolder === undefined ? undefined : join(dockerFolder, "config.json"),
  };
}

function listOf(text: string): readonly string[] {
  return text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}
