/**
 * Rules that span several fields of one object.
 */
import { isIP } from "node:net";
import type {
  ConfigObject,
  PeerAuthenticationSpec,
  ServiceEntrySpec,
  SidecarSpec,
  StringMatch,
  VirtualServiceSpec,
} from "./objects.ts";

/** A broken rule, by the path of the field. */
export type Complaint = readonly [path: string, message: string];

/** Envoy's sum of weights is a uint32. */
const maxWeightSum = 4_294_967_295;

/** Every broken rule of `object`. */
export function validate(object: ConfigObject): readonly Complaint[] {
  switch (object.kind) {
    case "ServiceEntry":
      return serviceEntry(object.spec);
    case "VirtualService":
      return virtualService(object.spec);
    case "PeerAuthentication":
      return peerAuthentication(object.spec);
    case "Sidecar":
      return sidecar(object.spec);
    case "DestinationRule":
      return duplicates(object.spec.subsets?.map(({ name }) => name) ?? [], "spec.subsets", "name");
    case "WorkloadEntry":
      return [];
  }
}

function serviceEntry(spec: ServiceEntrySpec): readonly Complaint[] {
  const complaints: Complaint[] = [
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
  ];
  const resolution = spec.resolution ?? "NONE";
  const endpoints = spec.endpoints ?? [];
  if (spec.workloadSelector !== undefined && endpoints.length > 0) {
    complaints.push(["spec.workloadSelector", "and endpoints exclude each other: keep one of them"]);
  }
  if (resolution === "NONE" && endpoints.length > 0) {
    complaints.push(["spec.resolution", "NONE takes no endpoints: set resolution to STATIC, or remove them"]);
  }
  const names = new Set(spec.ports.map(({ name }) => name));
  for (const [index, { address, ports }] of endpoints.entries()) {
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

function virtualService(spec: VirtualServiceSpec): readonly Complaint[] {
  return spec.http.flatMap(({ route, match }, index) => {
    const path = `spec.http[${index}]`;
    const total = route.reduce((sum, { weight }) => sum + (weight ?? 0), 0);
    const complaints: Complaint[] = [];
    if (total > maxWeightSum) {
      complaints.push([
        `${path}.route`,
        `has weights that add up to more than ${maxWeightSum}: divide all of them`,
      ]);
    }
    if (route.length > 1 && total === 0) {
      complaints.push([
        `${path}.route`,
        "has weights that add up to 0: give at least one destination a weight",
      ]);
    }
    for (const [at, conditions] of (match ?? []).entries()) {
      const matches: readonly (readonly [string, StringMatch | undefined])[] = [
        ["uri", conditions.uri],
        ["method", conditions.method],
        ["authority", conditions.authority],
        ...Object.entries(conditions.headers ?? {}).map(
          ([name, value]) => [`headers.${name}`, value] as const,
        ),
      ];
      for (const [field, value] of matches) {
        if (value === undefined) continue;
        const chosen = [value.exact, value.prefix, value.regex].filter((part) => part !== undefined).length;
        if (chosen !== 1) {
          complaints.push([`${path}.match[${at}].${field}`, "needs exactly one of exact, prefix and regex"]);
        }
      }
    }
    return complaints;
  });
}

function peerAuthentication(spec: PeerAuthenticationSpec): readonly Complaint[] {
  const ports = Object.keys(spec.portLevelMtls ?? {});
  return [
    ...(ports.length > 0 && spec.selector === undefined
      ? ([["spec.portLevelMtls", "needs a selector: ports belong to a workload"]] as const)
      : []),
  ];
}

function sidecar(spec: SidecarSpec): readonly Complaint[] {
  const ports = spec.ingress?.map(({ port }) => port.number) ?? [];
  return duplicates(ports, "spec.ingress", "port.number");
}

function duplicates(values: readonly (string | number)[], path: string, field: string): readonly Complaint[] {
  return values.flatMap((value, index) =>
    values.indexOf(value) < index
      ? ([[`${path}[${index}].${field}`, `${value} is there already: make it unique`]] as const)
      : [],
  );
}
