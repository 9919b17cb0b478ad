/** What rewrites Wasm extensions, in a folder of its own. */
import { join } from "node:path";
import { Metrics } from "../../src/telemetry/metrics.ts";
import type { WasmOptions } from "../../src/wasm/options.ts";
import { WasmExtensions } from "../../src/wasm/wasm-extensions.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { testLog } from "./test-log.ts";
import { type ReadExtension, readExtension } from "./wasm-config.ts";

export interface WasmFixture extends Disposable {
  readonly folder: string;
  readonly options: WasmOptions;
  readonly extensions: WasmExtensions;
  readonly lines: readonly string[];
  readonly metrics: Metrics;
  /** What Envoy would get. */
  get(extension: Uint8Array): Promise<ReadExtension | { readonly kind: "unchanged" | "refused" }>;
}

export async function wasmFixture(
  changes: Partial<WasmOptions> = {},
  folder: { readonly path: string } & Disposable = temporaryFolder(),
): Promise<WasmFixture> {
  const { log, lines } = testLog();
  const metrics = new Metrics("istio_agent_");
  const options: WasmOptions = {
    folder: join(folder.path, "data"),
    insecureRegistries: [],
    blockedCidrs: [],
    moduleExpiryMs: 86_400_000,
    purgeIntervalMs: 3_600_000,
    requestTimeoutMs: 15_000,
    maxAttempts: 5,
    refetch: { initialMs: 3_600_000, multiplier: 1, maxMs: 3_600_000, jitter: 0 },
    tlsPolicy: undefined,
    maxModuleBytes: 268_435_456,
    dockerConfigPath: undefined,
    ...changes,
  };
  const ended = new AbortController();
  const extensions = await WasmExtensions.open(options, log, metrics);
  return {
    ...{ options, extensions, lines, metrics },
    folder: options.folder,
    get: async (extension) => {
      const rewritten = await extensions.rewrite(extension, ended.signal);
      return rewritten.kind === "replaced" ? readExtension(rewritten.resource) : { kind: rewritten.kind };
    },
    [Symbol.dispose]: () => {
      ended.abort();
      folder[Symbol.dispose]();
    },
  };
}
