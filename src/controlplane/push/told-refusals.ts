/**
 * What proxies refuse, told once however many of them do, with the objects that it was made of.
 */
import type { Logger } from "../../telemetry/log.ts";
import type { Held } from "./held-resources.ts";

/** Refusals that are remembered; what comes on top of so many may be told again. */
const remembered = 1_000;

/** The objects that a resource is made of, as `file:line: Kind namespace/name`, those that Envoy means first. */
export type FindMakers = (typeUrl: string, held: Pick<Held, "resource" | "reason">) => readonly string[];

/** Shared by all streams of a control plane. */
export class ToldRefusals {
  readonly #log: Logger;
  readonly #makersOf: FindMakers;
  readonly #told = new Set<string>();

  constructor(log: Logger, makersOf: FindMakers) {
    this.#log = log;
    this.#makersOf = makersOf;
  }

  /** One proxy refuses one resource. */
  tell(proxy: string, typeUrl: string, held: Held): void {
    const { resource, reason, standIn, brought } = held;
    const key = JSON.stringify([typeUrl, resource.name, resource.version]);
    if (this.#told.has(key)) return;
    if (this.#told.size >= remembered) this.#told.clear();
    this.#told.add(key);
    this.#log.error("a resource is refused by proxies, they have what was good before", {
      type: typeUrl,
      resource: resource.name,
      reason,
      objects: this.#makersOf(typeUrl, held).join(", "),
      serves: standIn === undefined && brought === undefined ? "nothing" : "last good",
      proxy,
    });
  }
}
