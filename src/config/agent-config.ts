/**
 * Everything the agent needs to know, decided: the product of the features' own options.
 */
import type { BootstrapSource } from "./decide/bootstrap-source.ts";
import type { Json } from "../bootstrap/parameters.ts";
import type { AppProbesOptions } from "../app-probes/options.ts";
import type { ApplicationSocketOptions } from "../application/options.ts";
import type { EnvoyOptions } from "../envoy/generation/options.ts";
import type { KnownPort } from "../envoy/inspect/ports.ts";
import type { SupervisionPolicy } from "../envoy/supervision/policy.ts";
import type { DnsOptions } from "../dns/options.ts";
import type { IdentityOptions } from "../identity/options.ts";
import type { OutputCertsOptions } from "../identity/output-certs.ts";
import type { OtlpOptions } from "../otlp/options.ts";
import type { SdsOptions } from "../sds/server.ts";
import type { ScrapeOptions } from "../scrape/options.ts";
import type { AnnouncementOptions } from "../status/announcement.ts";
import type { StatusOptions } from "../status/options.ts";
import type { WasmOptions } from "../wasm/options.ts";
import type { WorkloadHealthOptions } from "../workload-health/options.ts";
import type { XdsProxyOptions } from "../xdsproxy/xds-proxy.ts";
import type { LogConfig } from "./decide/log-options.ts";

/** What a proxyless gRPC application gets instead of Envoy. */
export interface ProxylessOptions {
  /** Where its bootstrap goes; undefined writes none. */
  readonly bootstrapPath: string | undefined;
  readonly bootstrap: Json;
}

/** The agent's configuration. */
export interface AgentConfig {
  readonly log: LogConfig;
  /** What was odd but usable, one line each. */
  readonly warnings: readonly string[];
  readonly nodeId: string;
  /** How the agent says where it is. */
  readonly announcement: AnnouncementOptions;
  readonly bootstrap: BootstrapSource;
  readonly envoy: EnvoyOptions;
  readonly supervision: SupervisionPolicy;
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
  /** Undefined answers no DNS. */
  readonly dns: DnsOptions | undefined;
  readonly status: StatusOptions;
  readonly scrape: ScrapeOptions;
  /** Undefined exports none of the agent's own telemetry. */
  readonly otlp: OtlpOptions | undefined;
  readonly admin: { readonly host: string; readonly port: number };
  readonly knownPorts: readonly KnownPort[];
  /** Undefined runs Envoy. */
  readonly proxyless: ProxylessOptions | undefined;
  /** Undefined when it is switched off. */
  readonly application: ApplicationSocketOptions | undefined;
  /** Undefined checks nothing. */
  readonly workloadHealth: WorkloadHealthOptions | undefined;
  /** Undefined has no probes of the application. */
  readonly appProbes: AppProbesOptions | undefined;
}
