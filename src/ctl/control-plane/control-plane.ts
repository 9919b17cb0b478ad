/**
 * What a control plane is asked, however it is reached.
 */

/** Who answered. */
export interface ControlPlane {
  readonly id: string;
  readonly version: string;
}

/** How far a proxy is with one type: `ConfigStatus` of Envoy's CSDS, in istioctl's words. */
export type SyncState = "SYNCED" | "NOT SENT" | "STALE" | "ERROR" | "UNKNOWN";

/** One type at one proxy. */
export interface TypeStatus {
  readonly state: SyncState;
  /** When the state began, in ISO 8601; undefined where the control plane does not say. */
  readonly since?: string;
  /** Why Envoy refused what was sent. */
  readonly reason?: string;
}

/** Columns of `proxy-status`, by the end of the type's URL. */
export const columns = {
  CDS: "Cluster",
  LDS: "Listener",
  EDS: "ClusterLoadAssignment",
  RDS: "RouteConfiguration",
  ECDS: "TypedExtensionConfig",
} as const;

/** Short name of a type, as istioctl has it. */
export type Column = keyof typeof columns;

/** One proxy. */
export interface ProxyStatus {
  /** `web-1.demo`. */
  readonly name: string;
  readonly cluster: string;
  readonly version: string;
  readonly controlPlane: ControlPlane;
  readonly types: Readonly<Record<Column, TypeStatus>>;
  /** Why its workload takes no traffic; undefined when it does, or where the control plane does not say. */
  readonly unhealthy?: string;
}

/** A registry that the control plane follows. */
export interface RegistryStatus {
  readonly name: string;
  /** False while it does not answer. */
  readonly isUp: boolean;
  /** Age of what is served of it, in seconds: 0 while it answers. */
  readonly ageSeconds: number;
}

/** Asks one control plane. Every question has a deadline. */
export interface ControlPlaneClient {
  /** Where it is, for messages. */
  readonly address: string;
  /** @throws ControlPlaneError */
  readonly identity: () => Promise<ControlPlane>;
  /** By name. @throws ControlPlaneError */
  readonly proxies: () => Promise<readonly ProxyStatus[]>;
  /** What it follows beside files; undefined where it cannot be asked that. @throws ControlPlaneError */
  readonly registries?: () => Promise<readonly RegistryStatus[]>;
  /** Envoy's ConfigDump of what the proxy is to have; undefined when it is not connected. @throws ControlPlaneError */
  readonly configDump: (proxy: string) => Promise<unknown>;
}

/** No answer that could be used. The message says who was asked, why there is none and what to do. */
export class ControlPlaneError extends Error {
  override readonly name = "ControlPlaneError";
}
