import type { TlsPolicy } from "../grpc/tls-policy.ts";
import type { Backoff } from "../lifecycle/backoff.ts";

/** What Wasm modules are fetched with. */
export interface WasmOptions {
  /** Folder of the modules, which Envoy reads; it may hold other things. */
  readonly folder: string;
  /**
   * `host` or `host:port` of servers that need no TLS that can be verified; `*` stands for all. Only those that are
   * named may have an address of this machine.
   */
  readonly insecureRegistries: readonly string[];
  /** Addresses in CIDR notation that nothing is fetched from, beside those that never have a module. */
  readonly blockedCidrs: readonly string[];
  /** How long a module that nothing uses is kept, in milliseconds. */
  readonly moduleExpiryMs: number;
  /** Between two looks for such modules, in milliseconds. */
  readonly purgeIntervalMs: number;
  /** One request with its answer, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** Tries of one request. */
  readonly maxAttempts: number;
  /** Between two fetches of a module that could not be had. */
  readonly refetch: Backoff;
  /** What connections may be made of; undefined leaves it to Node.js. */
  readonly tlsPolicy: TlsPolicy | undefined;
  /** Largest download and largest module, in bytes. */
  readonly maxModuleBytes: number;
  /** Docker's configuration with credentials, for images without a pull secret; need not exist. */
  readonly dockerConfigPath: string | undefined;
}
