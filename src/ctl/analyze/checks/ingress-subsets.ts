/** Calls through a gateway to a service whose subsets are chosen by a rule of the mesh, which does not see them. */
import { placeOf, warningAt } from "../../../controlplane/config/analysis/warning.ts";
import { fullName, meshGateway } from "../../../controlplane/config/host-names.ts";
import type { ConfigProblem } from "../../../controlplane/config/problem.ts";
import type { AnalyzedMesh, OfKind } from "./mesh.ts";

type VirtualService = OfKind<"VirtualService">;

/** IST0140. */
export function ingressSubsetFindings(mesh: AnalyzedMesh): readonly ConfigProblem[] {
  const rules = mesh.ofKind("VirtualService");
  const choosing = new Map(
    rules.flatMap((rule) => ownSubsetHosts(rule).map((host): [string, VirtualService] => [host, rule])),
  );
  return rules.filter(isOfGatewaysAlone).flatMap((rule) =>
    destinations(rule).flatMap(({ host, subset, path }): readonly ConfigProblem[] => {
      const chooser = subset === undefined ? choosing.get(host) : undefined;
      if (chooser === undefined || chooser === rule) return [];
      const message = `names no subset of ${host}: that ${placeOf(chooser)} chooses among them is for calls within the mesh, not for those through a gateway. Name the subset here too`;
      return [warningAt(rule, path, message, "IST0140")];
    }),
  );
}

/** Calls within the mesh are not routed by it. */
function isOfGatewaysAlone({ spec: { gateways = [] } }: VirtualService): boolean {
  return gateways.length > 0 && !gateways.includes(meshGateway);
}

/** Hosts of the rule that it routes to subsets of themselves, for calls within the mesh. */
function ownSubsetHosts(rule: VirtualService): readonly string[] {
  if (isOfGatewaysAlone(rule)) return [];
  const own = new Set(rule.spec.hosts.map((host) => fullName(host, rule.namespace).toLowerCase()));
  return destinations(rule)
    .filter(({ host, subset }) => subset !== undefined && own.has(host))
    .map(({ host }) => host);
}

function destinations(
  rule: VirtualService,
): readonly { readonly host: string; readonly subset: string | undefined; readonly path: string }[] {
  return (rule.spec.http ?? []).flatMap(({ route = [] }, index) =>
    route.map(({ destination: { host, subset } }, at) => ({
      host: fullName(host, rule.namespace).toLowerCase(),
      subset,
      path: `spec.http[${index}].route[${at}].destination`,
    })),
  );
}
