/** What spans several fields of a ProxyConfig. */
import type { ProxyConfigSpec } from "../objects.ts";
import type { Complaint } from "./complaint.ts";

/** Every broken rule. */
export function proxyConfig({ selector }: ProxyConfigSpec): readonly Complaint[] {
  return selector !== undefined && Object.keys(selector.matchLabels ?? {}).length === 0
    ? [["spec.selector", "has no labels: it selects nothing; leave it out for all workloads", "warning"]]
    : [];
}
