/** ProxyConfigs, which are for whoever injects pods. */
import type { ConfigObject } from "../objects.ts";
import type { ConfigProblem } from "../problem.ts";
import { warningAt } from "./warning.ts";

type ProxyConfig = Extract<ConfigObject, { kind: "ProxyConfig" }>;

/** Where a ProxyConfig has no effect: for whoever is not injected. */
export function proxyConfigWarnings(objects: readonly ProxyConfig[]): readonly ConfigProblem[] {
  return objects.map((object) =>
    warningAt(
      object,
      "spec",
      "counts for pods that a cluster injects when they are made. Give a proxy that is started otherwise the same by its annotation " +
        "proxy.istio.io/config, or the mesh by defaultConfig",
    ),
  );
}
