/** What spans several fields of a ServiceEntry. */
import { isIP } from "node:net";
import type { ServiceEntrySpec } from "../objects.ts";
import { type Complaint, duplicates } from "./complaint.ts";

/** Every broken rule. */
export function serviceEntry(spec: ServiceEntrySpec): readonly Complaint[] {
  const resolution = spec.resolution ?? "NONE";
  return [
    ...duplicates(spec.hosts, "spec.hosts", ""),
    ...duplicates(
      spec.ports.map(({ name }) => name),
      "spec.ports",
      "name",
    ),
    ...duplicates(
      spec.ports.map(({ number }) => number),
      "spec.ports",
      "number",
    ),
    ...hosts(spec, resolution),
    ...addresses(spec, resolution),
    ...endpoints(spec, resolution),
  ];
}

type Resolution = NonNullable<ServiceEntrySpec["resolution"]>;

const isByName = (resolution: Resolution): boolean => resolution.startsWith("DNS");

function hosts(spec: ServiceEntrySpec, resolution: Resolution): readonly Complaint[] {
  return spec.hosts.flatMap((host, index): readonly Complaint[] => {
    const path = `spec.hosts[${index}]`;
    if (host === "*") return [[path, "stands for every host there is: name a domain, such as *.example.com"]];
    if (isByName(resolution) && host.startsWith("*") && (spec.endpoints ?? []).length === 0)
      return [[path, "has no address to be looked up: give endpoints, or set resolution to NONE"]];
    return [];
  });
}

function addresses(spec: ServiceEntrySpec, resolution: Resolution): readonly Complaint[] {
  return (spec.addresses ?? []).flatMap((address, index): readonly Complaint[] =>
    isByName(resolution) && address.includes("/")
      ? [[`spec.addresses[${index}]`, "is a range, which resolution NONE and STATIC take only"]]
      : [],
  );
}

function endpoints(spec: ServiceEntrySpec, resolution: Resolution): readonly Complaint[] {
  const given = spec.endpoints ?? [];
  const complaints: Complaint[] = [];
  if (spec.workloadSelector !== undefined && given.length > 0)
    complaints.push(["spec.workloadSelector", "and endpoints exclude each other: keep one of them"]);
  if (resolution === "NONE" && given.length > 0) {
    complaints.push(["spec.resolution", "NONE takes no endpoints: set resolution to STATIC, or remove them"]);
  }
  if (resolution === "DNS_ROUND_ROBIN" && given.length > 1)
    complaints.push(["spec.endpoints", "has more than the one endpoint that DNS_ROUND_ROBIN takes"]);
  const names = new Set(spec.ports.map(({ name }) => name));
  for (const [index, { address, ports }] of given.entries()) {
    const path = `spec.endpoints[${index}]`;
    if (resolution === "STATIC" && isIP(address) === 0) {
      complaints.push([`${path}.address`, `${address} is not an IP address, which resolution STATIC needs`]);
    }
    for (const name of Object.keys(ports ?? {})) {
      if (!names.has(name))
        complaints.push([`${path}.ports.${name}`, "is not the name of a port in spec.ports"]);
    }
  }
  return complaints;
}
