/** EnvoyFilters whose effect hangs on the order of all. */
import { warningAt } from "../../../controlplane/config/analysis/warning.ts";
import type { ConfigProblem } from "../../../controlplane/config/problem.ts";
import type { AnalyzedMesh } from "./mesh.ts";

/** They need something to be there already. */
const relative: readonly string[] = [
  ...["INSERT_BEFORE", "INSERT_AFTER", "REPLACE", "MERGE", "MERGE_AND_REPLACE_LIST", "REMOVE"],
];

/** IST0151, IST0155. */
export function envoyFilterFindings(mesh: AnalyzedMesh): readonly ConfigProblem[] {
  return mesh.ofKind("EnvoyFilter").flatMap((filter) => {
    if ((filter.spec.priority ?? 0) !== 0) return [];
    return (filter.spec.configPatches ?? []).flatMap(
      ({ match, patch: { operation } }, index): readonly ConfigProblem[] => {
        if (!relative.includes(operation)) return [];
        const path = `spec.configPatches[${index}].patch.operation`;
        const version = match?.proxy?.proxyVersion;
        const message = `${operation} without spec.priority finds only what filters before it have made`;
        return [
          version === undefined
            ? warningAt(filter, path, `${message}: set a priority, or use INSERT_FIRST or ADD`, "IST0151")
            : warningAt(
                filter,
                path,
                `${message}, and only in proxies of ${version}, which an upgrade ends: set a priority`,
                "IST0155",
              ),
        ];
      },
    );
  });
}
