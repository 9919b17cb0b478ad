/** EnvoyFilters whose effect hangs on the order of all. */
import { warningAt } from "../../../controlplane/config/analysis/warning.ts";
import type { ConfigProblem } from "../../../controlplane/config/problem.ts";
import type { AnalyzedMesh } from "./mesh.ts";

/** They need something to be there already. */
const relative: readonly string[] = ["INSERT_BEFORE", "INSERT_AFTER", "REPLACE", "REMOVE"];

/** What these have no effect on is told when the filter is read. */
const isWithoutEffect = (applyTo: string, operation: string): boolean =>
  operation === "REPLACE"
    ? !["HTTP_FILTER", "NETWORK_FILTER"].includes(applyTo)
    : operation === "REMOVE" && ["ROUTE_CONFIGURATION", "HTTP_ROUTE"].includes(applyTo);

/** IST0151, IST0155: where istioctl tells the first, and the second beside it. */
export function envoyFilterFindings(mesh: AnalyzedMesh): readonly ConfigProblem[] {
  return mesh.ofKind("EnvoyFilter").flatMap((filter) => {
    if ((filter.spec.priority ?? 0) !== 0) return [];
    return (filter.spec.configPatches ?? []).flatMap(
      ({ applyTo, match, patch: { operation } }, index): readonly ConfigProblem[] => {
        if (!relative.includes(operation) || isWithoutEffect(applyTo, operation)) return [];
        const path = `spec.configPatches[${index}].patch.operation`;
        const version = match?.proxy?.proxyVersion;
        const message = `${operation} without spec.priority finds only what filters before it have made`;
        const remedy = "set a priority, or use INSERT_FIRST or ADD";
        const ofVersion = `${message}, and only in proxies of ${String(version)}, which an upgrade ends: ${remedy}`;
        return [
          warningAt(filter, path, `${message}: ${remedy}`, "IST0151"),
          ...(version === undefined ? [] : [warningAt(filter, path, ofVersion, "IST0155")]),
        ];
      },
    );
  });
}
