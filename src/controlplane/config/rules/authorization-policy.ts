/** What spans several fields of an AuthorizationPolicy. */
import type { AuthorizationPolicySpec } from "../objects.ts";
import type { Complaint } from "./complaint.ts";

const empty = "says nothing: give it a field, or remove it";

/** Every broken rule. */
export function authorizationPolicy({ action, rules }: AuthorizationPolicySpec): readonly Complaint[] {
  const complaints: Complaint[] = [];
  if (action === "DENY" && (rules ?? []).length === 0)
    complaints.push(["spec.action", "DENY without rules denies nothing", "warning"]);
  for (const [index, { from = [], to = [], when = [] }] of (rules ?? []).entries()) {
    const path = `spec.rules[${index}]`;
    for (const [at, { source }] of from.entries())
      if (Object.keys(source).length === 0) complaints.push([`${path}.from[${at}].source`, empty]);
    for (const [at, { operation }] of to.entries())
      if (Object.keys(operation).length === 0) complaints.push([`${path}.to[${at}].operation`, empty]);
    for (const [at, { values, notValues }] of when.entries())
      if (values === undefined && notValues === undefined)
        complaints.push([`${path}.when[${at}]`, "needs values or notValues"]);
  }
  return complaints;
}
