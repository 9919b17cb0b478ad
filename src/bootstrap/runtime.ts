/**
 * Envoy's runtime flags as Istio's sidecar sets them, and what a user makes of them.
 */
import type { Json } from "./parameters.ts";

/** What decides on flags beside the defaults. */
export interface RuntimeChoices {
  /** Keep `#fragment` in request paths. */
  readonly keepsFragments: boolean;
  /** FIPS 140-2 knows no TLS 1.3. */
  readonly forbidsTls13: boolean;
  /** ProxyConfig's `runtimeValues`: an empty value takes a flag away. */
  readonly values: Readonly<Record<string, string>>;
}

/** Istio's defaults (Envoy's runtime documentation). */
const defaults: Readonly<Record<string, Json>> = {
  "re2.max_program_size.error_level": "32768",
  "envoy.deprecated_features:envoy.config.listener.v3.Listener.hidden_envoy_deprecated_use_original_dst": true,
  "envoy.reloadable_features.http_reject_path_with_fragment": false,
  "envoy.reloadable_features.fixed_heap_use_allocated": true,
  "envoy.reloadable_features.coalesce_lb_rebuilds_on_batch_update": false,
};

/** The flags of the static layer, sorted by name. */
export function runtimeFlags({ keepsFragments, forbidsTls13, values }: RuntimeChoices): Json {
  const flags = new Map<string, Json>(Object.entries(defaults));
  if (forbidsTls13) flags.set("envoy.reloadable_features.google_grpc_disable_tls_13", true);
  if (keepsFragments) {
    flags.set("envoy.reloadable_features.http_strip_fragment_from_path_unsafe_if_disabled", "false");
  }
  for (const [name, value] of Object.entries(values)) {
    if (value === "") flags.delete(name);
    else flags.set(name, value === "true" ? true : value === "false" ? false : value);
  }
  return Object.fromEntries([...flags].sort(([a], [b]) => (a < b ? -1 : 1)));
}
