/**
 * Where the supervised Envoy stands, as one value.
 */

import type { StopEnd } from "../drain/stop-step.ts";

/** State of the active generation. */
export type EnvoyState =
  | { readonly kind: "starting"; readonly generation: number; readonly pid: number | undefined }
  | { readonly kind: "live"; readonly generation: number; readonly pid: number | undefined }
  | { readonly kind: "restarting"; readonly reason: string; readonly delayMs: number }
  | { readonly kind: "draining"; readonly generation: number }
  | { readonly kind: "stopped"; readonly reason: string };

/** How supervision ended. */
export type SupervisionEnd =
  | { readonly kind: StopEnd }
  | { readonly kind: "gave-up"; readonly exitCode: number; readonly reason: string };
