/**
 * What Consul's catalog holds, as far as a mesh is made of it: a pure function of an answer that may be anything.
 *
 * Read is what `/v1/internal/ui/nodes` answers (Consul's NodeDump): each node with its services and all their checks.
 */
import { isMapping } from "../../../document/mapping.ts";

/** One registered instance of a service. */
export interface Instance {
  readonly node: string;
  readonly id: string;
  /** Name of the service as it was registered. */
  readonly service: string;
  /** The service's own address, else its node's. */
  readonly address: string;
  /** 0 where none was registered. */
  readonly port: number;
  readonly tags: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  /** Consul's weight of an instance in this state. */
  readonly weight: number;
  /** False when a check of the instance or of its node is critical, or nothing is known of it. */
  readonly isHealthy: boolean;
}

/** Undefined for an answer that is no catalog. */
export function readCatalog(answer: unknown): readonly Instance[] | undefined {
  if (!Array.isArray(answer)) return undefined;
  const instances: Instance[] = [];
  for (const node of answer as readonly unknown[]) {
    if (!isMapping(node) || typeof node["Node"] !== "string") return undefined;
    // What another cluster exports to this one is not called at these addresses.
    if (textOf(node["PeerName"]) === "") instances.push(...instancesOf(node, node["Node"]));
  }
  return instances.toSorted(byName);
}

/** What Consul runs for itself. */
const consulItself = "consul";

function instancesOf(node: Readonly<Record<string, unknown>>, name: string): readonly Instance[] {
  const checks = listOf(node["Checks"]).filter(isMapping);
  const ofNode = checks.filter((check) => textOf(check["ServiceID"]) === "");
  const ofService = Map.groupBy(checks, (check) => textOf(check["ServiceID"]));
  return listOf(node["Services"]).flatMap((entry): readonly Instance[] => {
    if (!isMapping(entry)) return [];
    const service = textOf(entry["Service"]);
    // Proxies and gateways of Consul's own mesh have a kind.
    if (service === "" || service === consulItself || textOf(entry["Kind"]) !== "") return [];
    const id = textOf(entry["ID"]);
    const statuses = [...ofNode, ...(id === "" ? [] : (ofService.get(id) ?? []))].map(({ Status }) => Status);
    const isWarned = statuses.includes("warning");
    return [
      {
        node: name,
        id,
        service,
        address: textOf(entry["Address"]) || textOf(node["Address"]),
        port: wholeOf(entry["Port"], 65_535) ?? 0,
        tags: listOf(entry["Tags"]).filter((tag) => typeof tag === "string"),
        meta: textsOf(entry["Meta"]),
        weight: weightOf(entry["Weights"], isWarned ? "Warning" : "Passing"),
        isHealthy: statuses.every((status) => status === "passing" || status === "warning"),
      },
    ];
  });
}

function weightOf(weights: unknown, state: "Passing" | "Warning"): number {
  return (isMapping(weights) ? wholeOf(weights[state], 1_000_000) : undefined) ?? 1;
}

function byName(a: Instance, b: Instance): number {
  const [keyA, keyB] = [a, b].map(({ service, node, id }) => `${service}\0${node}\0${id}`);
  return (keyA ?? "") < (keyB ?? "") ? -1 : 1;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

function wholeOf(value: unknown, most: number): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most
    ? value
    : undefined;
}

function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (!isMapping(value)) return {};
  const pairs = Object.entries(value).filter((pair): pair is [string, string] => typeof pair[1] === "string");
  return Object.fromEntries(pairs);
}
