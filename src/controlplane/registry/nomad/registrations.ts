/**
 * What Nomad says of services and allocations, as far as a mesh is made of it: pure functions of answers that may be anything
 * (Nomad's API documentation, "Services", "Allocations", "Event stream").
 */
import { isMapping } from "../../../document/mapping.ts";
import type { NomadEvent } from "./event-stream.ts";

/** One registered instance of a service of Nomad's own provider. */
export interface Registration {
  readonly id: string;
  readonly service: string;
  readonly namespace: string;
  readonly datacenter: string;
  readonly allocation: string;
  readonly address: string;
  /** 0 where none was registered. */
  readonly port: number;
  readonly tags: readonly string[];
}

/** A service by its name within its namespace. */
export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/** What becomes of what is known. */
export type Change =
  | { readonly kind: "registered"; readonly registration: Registration }
  | { readonly kind: "deregistered"; readonly id: string }
  | { readonly kind: "allocation"; readonly id: string; readonly isLost: boolean };

/** Undefined for an answer of `/v1/services` that is none. */
export function readServiceNames(answer: unknown): readonly ServiceName[] | undefined {
  const namespaces = mappingsOf(answer);
  return namespaces?.flatMap(({ Namespace, Services }) =>
    (mappingsOf(Services ?? []) ?? []).flatMap(({ ServiceName: name }) =>
      textOf(name) === "" ? [] : [{ namespace: textOf(Namespace), name: textOf(name) }],
    ),
  );
}

/** Undefined for an answer of `/v1/service/NAME` that is none. */
export function readRegistrations(answer: unknown): readonly Registration[] | undefined {
  return mappingsOf(answer)?.flatMap((entry) => readRegistration(entry) ?? []);
}

/** Allocations whose workload is gone, of an answer of `/v1/allocations`; undefined for one that is none. */
export function readLostAllocations(answer: unknown): readonly string[] | undefined {
  return mappingsOf(answer)
    ?.filter(isLost)
    .map(({ ID }) => textOf(ID));
}

/** Undefined for an event that changes nothing here. */
export function readChange({ topic, type, payload }: NomadEvent): Change | undefined {
  if (topic === "Service") {
    const registration = isMapping(payload["Service"]) ? readRegistration(payload["Service"]) : undefined;
    if (registration === undefined) return undefined;
    return type === "ServiceDeregistration"
      ? { kind: "deregistered", id: registration.id }
      : { kind: "registered", registration };
  }
  const allocation = payload["Allocation"];
  if (topic !== "Allocation" || !isMapping(allocation) || textOf(allocation["ID"]) === "") return undefined;
  return { kind: "allocation", id: textOf(allocation["ID"]), isLost: isLost(allocation) };
}

/** One check of an allocation. */
export interface Check {
  readonly service: string;
  readonly status: "success" | "failure" | "pending";
}

/** Of an answer of `/v1/allocation/ID/checks`; undefined for one that is none. */
export function readChecks(answer: unknown): readonly Check[] | undefined {
  if (!isMapping(answer)) return undefined;
  return Object.values(answer)
    .filter(isMapping)
    .map(({ Service, Status }) => ({
      service: textOf(Service),
      status: Status === "success" || Status === "pending" ? Status : "failure",
    }));
}

/** States in which nothing runs, or nobody knows whether it does. */
const lostStates: readonly unknown[] = ["complete", "failed", "lost", "unknown"];

function isLost({ ClientStatus }: Readonly<Record<string, unknown>>): boolean {
  return lostStates.includes(ClientStatus);
}

function readRegistration(entry: Readonly<Record<string, unknown>>): Registration | undefined {
  const [id, service] = [textOf(entry["ID"]), textOf(entry["ServiceName"])];
  if (id === "" || service === "") return undefined;
  const { Port: port, Tags: tags } = entry;
  return {
    id,
    service,
    namespace: textOf(entry["Namespace"]) || "default",
    datacenter: textOf(entry["Datacenter"]),
    allocation: textOf(entry["AllocID"]),
    address: textOf(entry["Address"]),
    port: typeof port === "number" && Number.isInteger(port) && port > 0 && port <= 65_535 ? port : 0,
    tags: Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string") : [],
  };
}

function mappingsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] | undefined {
  if (value === null) return [];
  return Array.isArray(value) ? (value as readonly unknown[]).filter(isMapping) : undefined;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
