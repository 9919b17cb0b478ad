/**
 * Everything that configuration is made from, as it was found.
 */
import type { CpuShare } from "../../process/cpu-share.ts";
import type { InterfaceAddress } from "./addresses.ts";
import type { FlagTexts } from "../../schema/flag-texts.ts";
import type { SdsSockets } from "./sds-sockets.ts";

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
  /** What Envoy is run as: sidecar, router or waypoint. */
  readonly proxyType: string;
  /** The flags of `proxy` that were given. */
  readonly flags: FlagTexts;
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
