/**
 * Everything the agent needs to know, decided: the product of the features' own options.
 */
import type { BootstrapParameters, Json } from "../bootstrap/parameters.ts";
import type { Template } from "../bootstrap/render.ts";
import type { ApplicationSocketOptions } from "../application/options.ts";
import type { EnvoyOptions } from "../envoy/options.ts";
import type { SupervisionOptions } from "../envoy/supervision-options.ts";
import type { IdentityOptions } from "../identity/options.ts";
import type { OutputCertsOptions } from "../identity/output-certs.ts";
import type { SdsOptions } from "../sds/server.ts";
import type { StatusOptions } from "../status/server.ts";
import type { WasmOptions } from "../wasm/options.ts";
import type { WorkloadHealthOptions } from "../workload-health/options.ts";
import type { XdsProxyOptions } from "../xdsproxy/xds-proxy.ts";
import type { IdentityFlags } from "./identity-source.ts";
import type { InterfaceAddress } from "./addresses.ts";
import type { CpuShare } from "../process/cpu-share.ts";
import type { LogConfig, LogFlags } from "./log-options.ts";
import type { PilotFlagValues } from "./pilot-flags.ts";
import type { SdsSockets } from "./sds-sockets.ts";
import type { SupervisionFlags } from "./supervision.ts";

/** Where the bootstrap comes from. */
export type BootstrapSource =
  | {
      readonly kind: "template";
      readonly template: Template;
      readonly parameters: Omit<BootstrapParameters, "adminSocketPath">;
      readonly override: Json | undefined;
    }
  /** ProxyConfig's customConfigFile: used as it is, but for the admin address. */
  | { readonly kind: "custom"; readonly bootstrap: Json };

/** What a proxyless gRPC application gets instead of Envoy. */
export interface ProxylessOptions {
  /** Where its bootstrap goes; undefined writes none. */
  readonly bootstrapPath: string | undefined;
  readonly bootstrap: Json;
}

/** A port that must be free before Envoy starts. */
export interface KnownPort {
  readonly port: number;
  /** What it is for, as an operator would call it. */
  readonly purpose: string;
}

/** The agent's configuration. */
export interface AgentConfig {
  readonly log: LogConfig;
  /** What was odd but usable, one line each. */
  readonly warnings: readonly string[];
  readonly nodeId: string;
  readonly bootstrap: BootstrapSource;
  readonly envoy: EnvoyOptions;
  readonly supervision: SupervisionOptions;
  /** Every file that was read, or that would have been if it existed: a change of one may change all of this. */
  readonly files: readonly string[];
  /** Places to look for Envoy that a user named; undefined searches the usual ones. */
  readonly envoyBinary: { readonly binaryPath: string | undefined; readonly envoyPath: string | undefined };
  readonly identity: IdentityOptions;
  /** Undefined keeps certificates between the agent and Envoy. */
  readonly outputCerts: OutputCertsOptions | undefined;
  readonly sds: SdsOptions;
  readonly xds: XdsProxyOptions;
  /** Undefined leaves Wasm modules to Envoy. */
  readonly wasm: WasmOptions | undefined;
  readonly status: StatusOptions;
  readonly admin: { readonly host: string; readonly port: number };
  readonly knownPorts: readonly KnownPort[];
  /** Undefined runs Envoy. */
  readonly proxyless: ProxylessOptions | undefined;
  /** Undefined when it is switched off. */
  readonly application: ApplicationSocketOptions | undefined;
  /** Undefined checks nothing. */
  readonly workloadHealth: WorkloadHealthOptions | undefined;
}

/** The flags of `proxy` that configuration reads; undefined was not given. */
export interface ProxyFlags {
  readonly proxyType: string;
  readonly domain: string | undefined;
  readonly meshConfig: string;
  readonly binaryPath: string | undefined;
  readonly serviceCluster: string;
  readonly proxyLogLevel: string;
  readonly proxyComponentLogLevel: string;
  readonly concurrency: number | undefined;
  readonly templateFile: string | undefined;
  /** Envoy's outlier events go to this file. */
  readonly outlierLogPath: string | undefined;
  /** Only told to the control plane; 0 for none. */
  readonly stsPort: number;
  /** How long the cloud's metadata service may take, in Go's notation. */
  readonly platformMetadataDeadline: string;
  /** Flags of pilot-agent that set fields of ProxyConfig, or mean nothing any more. */
  readonly pilot: PilotFlagValues;
  /** Longest life of a replaced Envoy, in Go's notation; undefined is 15 s more than the drain takes. */
  readonly parentShutdownDuration: string | undefined;
  readonly supervision: SupervisionFlags;
  readonly identity: IdentityFlags;
  readonly preDrainDelay: string;
  readonly appSocket: string | undefined;
  readonly appGrace: string;
  readonly xdsCache: boolean;
  readonly xdsCacheAfter: string;
  readonly wasmFolder: string;
  readonly log: LogFlags;
  /** Serve profiles of the agent on the status port. */
  readonly profiling: boolean;
}

/** What a cloud's metadata service says about this machine. */
export interface PlatformFacts {
  readonly metadata: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly locality: { readonly region?: string; readonly zone?: string };
}

/** A file's content, or why there is none. */
export type FileContent =
  | { readonly kind: "read"; readonly text: string }
  | { readonly kind: "missing" }
  | { readonly kind: "unreadable"; readonly message: string };

/** Where configuration comes from. */
export interface ConfigSources {
  readonly flags: ProxyFlags;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Addresses of the pod's interfaces, without loopback and link-local ones. */
  readonly interfaces: readonly InterfaceAddress[];
  /** Processor time that this process may use. */
  readonly cpus: CpuShare;
  /** What the cloud says about this machine; undefined where there is none or it has not answered in time. */
  readonly platform: PlatformFacts | undefined;
  /** An address of a host; the host itself when it is one, undefined when it could not be looked up. */
  readonly resolve: (host: string) => string | undefined;
  readonly readFile: (path: string) => FileContent;
  /** Who serves secrets besides this agent, as it was when the agent started. */
  readonly sdsSockets: SdsSockets;
  /** The agent's working directory, which relative paths are meant from. */
  readonly workingDirectory: string;
  /** The release's own sidecar template. */
  readonly templatePath: string;
  /** outrider's version. */
  readonly version: string;
}
