/** Where the facts of a machine's files come from. */
import type { WorkloadGroup } from "./read-group.ts";

/** Whose token, and for how long. */
export interface MachineToken {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly lifetimeMs: number;
}

/** Each is asked once; what cannot be had is an Error that says what to do. */
export interface MeshSource {
  /** The group, or every reason why there is none. */
  group(namespace: string, name: string): Promise<WorkloadGroup | readonly string[]>;
  /** PEM, for a machine of this namespace. */
  root(namespace: string): Promise<string>;
  token(request: MachineToken): Promise<string>;
  /** Text of the mesh's MeshConfig; undefined where there is none. */
  meshConfig(): Promise<string | undefined>;
  /** Port of discovery over TLS, where the MeshConfig names no address. */
  discoveryPort(): number;
}
