/** MeshConfig, as far as injection acts on it. */
import { isMapping } from "../../document/mapping.ts";
import { textAt } from "../../lifecycle/json-path.ts";
import type { Fields } from "./pod.ts";
import type { InjectionMesh } from "./settings.ts";

/** What else it has is for others, who check it. */
export function injectionMesh(meshConfig: Fields): InjectionMesh {
  const { defaultConfig, enablePrometheusMerge, trustDomain } = meshConfig;
  return {
    defaultConfig: isMapping(defaultConfig) ? defaultConfig : {},
    ...(typeof enablePrometheusMerge === "boolean" ? { enablePrometheusMerge } : {}),
    ...(typeof trustDomain === "string" && trustDomain !== "" ? { trustDomain } : {}),
    isInboundLocal: textAt(meshConfig, "inboundTrafficPolicy", "mode") === "LOCALHOST",
  };
}
