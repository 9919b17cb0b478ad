/**
 * A machine that registers itself, and the WorkloadEntry that stands for it: pure functions (Istio's auto-registration of
 * virtual machines).
 */
import type { ConfigObject, WorkloadGroupSpec } from "../../config/objects.ts";

/** What a machine says of itself, and what its credential proves. */
export interface Machine {
  /** Name of its WorkloadGroup, which is in its own namespace. */
  readonly group: string;
  /** As its credential proves them. */
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly address: string;
  /** Empty where it names none. */
  readonly network: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `region/zone/subzone`, or empty. */
  readonly locality: string;
  /** Its agent looks whether the workload is well: it is not called before the agent says so. */
  readonly isChecked: boolean;
}

/** A WorkloadGroup as a source has it. */
export type WorkloadGroup = Extract<ConfigObject, { kind: "WorkloadGroup" }>;

/** A WorkloadEntry as a source has it. */
export type WorkloadEntry = Extract<ConfigObject, { kind: "WorkloadEntry" }>;

/** Longest name of an object of Kubernetes. */
const longestName = 253;

/** Name of the machine's WorkloadEntry, as istiod gives it; what is too long loses its beginning. */
export function entryName({ group, address, network }: Machine): string {
  const parts = [group, address.replaceAll(":", "-"), ...(network === "" ? [] : [network])];
  return parts.join("-").slice(-longestName);
}

/** Why a machine may not be of this group; undefined when it may. */
export function whyNotOf({ spec }: WorkloadGroup, machine: Machine): string | undefined {
  const wanted = spec.template.serviceAccount;
  if (wanted === undefined || wanted === machine.serviceAccount) return undefined;
  return `the WorkloadGroup ${machine.namespace}/${machine.group} is for the service account ${wanted}, the credential proves ${machine.serviceAccount}`;
}

/**
 * The group's template with what is the machine's own. Of labels the machine's count, then those of the group's metadata.
 *
 * @param isWell false for a workload that its agent has found ill, or has not looked at yet
 */
export function entryOf(machine: Machine, { spec, source }: WorkloadGroup, isWell: boolean): WorkloadEntry {
  const { address: _address, network: _network, ...template }: WorkloadGroupSpec["template"] = spec.template;
  const { address, labels, locality, namespace, serviceAccount } = machine;
  return {
    kind: "WorkloadEntry",
    name: entryName(machine),
    namespace,
    source: `${source} (${machine.group}, registered by ${address})`,
    line: 0,
    ...(isWell ? {} : { isUnhealthy: true }),
    spec: {
      // A machine that connects has a sidecar of this identity.
      serviceAccount,
      ...template,
      address,
      labels: { ...template.labels, ...spec.metadata?.labels, ...labels },
      ...(locality === "" ? {} : { locality }),
    },
  };
}
