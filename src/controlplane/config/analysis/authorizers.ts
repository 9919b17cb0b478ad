/** AuthorizationPolicies that ask somebody outside who is not there. */
import { extensionProvider } from "../extension-providers.ts";
import type { ConfigObject, MeshConfigSpec } from "../objects.ts";
import type { ConfigProblem } from "../problem.ts";
import { warningAt } from "./warning.ts";

type Policy = Extract<ConfigObject, { kind: "AuthorizationPolicy" }>;

/** What they match is denied, as nobody can be asked. */
export function authorizerWarnings(
  policies: readonly Policy[],
  meshConfig: Pick<MeshConfigSpec, "extensionProviders">,
): readonly ConfigProblem[] {
  return policies.flatMap((policy) => {
    const { action, provider } = policy.spec;
    if (action !== "CUSTOM" || provider === undefined) return [];
    if (policy.isDryRun === true)
      return [
        warningAt(policy, "spec.action", "CUSTOM cannot be tried without being enforced: it has no effect"),
      ];
    const found = extensionProvider(meshConfig, provider.name);
    if (found?.envoyExtAuthzHttp !== undefined || found?.envoyExtAuthzGrpc !== undefined) return [];
    const message =
      found === undefined
        ? `${provider.name} is none of MeshConfig's extensionProviders: what the policy matches is denied`
        : `${provider.name} is no envoyExtAuthzHttp or envoyExtAuthzGrpc: what the policy matches is denied`;
    return [warningAt(policy, "spec.provider.name", message)];
  });
}
