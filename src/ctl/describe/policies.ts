/**
 * The AuthorizationPolicies that an Envoy enforces, by the names that their rules have in its RBAC filters. Pure.
 */
import { at, listAt, textAt } from "../../lifecycle/json-path.ts";
import type { ConfigDump } from "../proxy/config-dump.ts";
import { chainsOf } from "../proxy/views/listener.ts";

/** One policy. */
export interface EnforcedPolicy {
  readonly action: string;
  /** `reviews-viewer.shop`. */
  readonly policy: string;
  readonly rules: number;
}

/** In the order of Envoy's filters; a policy without rules allows nothing, and has no name there. */
export function enforcedPolicies({ listener }: Pick<ConfigDump, "listener">): readonly EnforcedPolicy[] {
  const rules = new Map<
    string,
    { readonly action: string; readonly policy: string; readonly names: Set<string> }
  >();
  for (const filter of listener.flatMap((one) => chainsOf(one).flatMap(filtersOf))) {
    const config = at(filter, "typed_config", "rules");
    if (!/\.rbac\b/.test(textAt(filter, "name") ?? "") || config === undefined) continue;
    // What is the first value of an enumeration is left out of JSON.
    const action = textAt(config, "action") ?? "ALLOW";
    const names = Object.keys(at(config, "policies") ?? {});
    for (const name of names.length === 0 ? [""] : names) {
      const [, namespace, own] = /^ns\[(.*)\]-policy\[(.*)\]-rule\[\d+\]$/.exec(name) ?? [];
      const policy = own === undefined ? name || "(allows nothing)" : `${own}.${namespace ?? ""}`;
      const key = `${action} ${policy}`;
      const found = rules.get(key) ?? { action, policy, names: new Set() };
      if (name !== "") found.names.add(name);
      rules.set(key, found);
    }
  }
  const all = [...rules.values()].map(({ action, policy, names }) => ({ action, policy, rules: names.size }));
  // On connections, a policy that looks at requests allows nothing, too.
  const isTold = ({ action, rules: count }: EnforcedPolicy): boolean =>
    count > 0 || !all.some((other) => other.action === action && other.rules > 0);
  return all.filter(isTold);
}

/** Those of requests, and of connections. */
function filtersOf(chain: unknown): readonly unknown[] {
  const filters = listAt(chain, "filters");
  return [...filters, ...filters.flatMap((filter) => listAt(filter, "typed_config", "http_filters"))];
}
