/** What spans several fields of an AuthorizationPolicy. */
import type { AuthorizationPolicySpec } from "../objects.ts";
import type { Complaint } from "./complaint.ts";
import { whenValueFault } from "../forms.ts";
import { oneWayToSelect } from "./selection.ts";

const empty = "says nothing: give it a field, or remove it";

/** Every broken rule. */
export function authorizationPolicy(spec: AuthorizationPolicySpec): readonly Complaint[] {
  const { action, rules } = spec;
  const complaints: Complaint[] = [...oneWayToSelect(spec), ...custom(spec)];
  if (action === "DENY" && (rules ?? []).length === 0)
    complaints.push(["spec.action", "DENY without rules denies nothing", "warning"]);
  for (const [index, { from = [], to = [], when = [] }] of (rules ?? []).entries()) {
    const path = `spec.rules[${index}]`;
    for (const [at, { source }] of from.entries())
      if (Object.keys(source).length === 0) complaints.push([`${path}.from[${at}].source`, empty]);
    for (const [at, { operation }] of to.entries())
      if (Object.keys(operation).length === 0) complaints.push([`${path}.to[${at}].operation`, empty]);
    for (const [at, condition] of when.entries())
      complaints.push(...conditionComplaints(condition, `${path}.when[${at}]`));
  }
  return complaints;
}

type Condition = NonNullable<NonNullable<AuthorizationPolicySpec["rules"]>[number]["when"]>[number];

function conditionComplaints({ key, values, notValues }: Condition, path: string): readonly Complaint[] {
  if (values === undefined && notValues === undefined) return [[path, "needs values or notValues"]];
  return Object.entries({ values, notValues }).flatMap(([field, list = []]) =>
    list.flatMap((value, index): readonly Complaint[] => {
      const expected = whenValueFault(key, value);
      return expected === undefined ? [] : [[`${path}.${field}[${index}]`, `must be ${expected}`]];
    }),
  );
}

/** What a rule of CUSTOM may not ask for, as in Istio: it is matched before anybody has proven who he is. */
const notBefore = [
  "principals",
  "notPrincipals",
  "requestPrincipals",
  "notRequestPrincipals",
  "namespaces",
  "notNamespaces",
] as const;

function custom({ action, provider, rules }: AuthorizationPolicySpec): readonly Complaint[] {
  if (action !== "CUSTOM")
    return provider === undefined ? [] : [["spec.provider", "is for the action CUSTOM alone: remove it"]];
  if (rules === undefined)
    return [["spec.rules", "must be there for CUSTOM; one that says nothing ({}) is for every request"]];
  const complaints: Complaint[] =
    provider === undefined ? [["spec.provider.name", "must be there for CUSTOM: whom to ask"]] : [];
  const refused = "is not for the action CUSTOM, which is decided before callers are known: leave it out";
  for (const [index, { from = [], when = [] }] of rules.entries()) {
    const path = `spec.rules[${index}]`;
    for (const [at, { source }] of from.entries())
      for (const field of notBefore)
        if (source[field] !== undefined) complaints.push([`${path}.from[${at}].source.${field}`, refused]);
    for (const [at, { key }] of when.entries())
      if (/^(?:source\.(?:namespace|principal)$|request\.auth\.)/.test(key))
        complaints.push([`${path}.when[${at}].key`, refused]);
  }
  return complaints;
}
