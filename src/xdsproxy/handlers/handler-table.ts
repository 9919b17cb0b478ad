/**
 * What the table of handlers means for a stream. Pure.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import { type AdsProtocol, delta, type LocalRequest, type ResponseFacts } from "../../xds/protocol.ts";
import { typeUrl as types } from "../../xds/type-urls.ts";
import type { WireResource } from "../../xds/wire-resource.ts";
import type { Consumption, ResourceHandlers, Rewriting, Taken } from "./resource-handler.ts";

/** What becomes of a response of the control plane. */
export type Route =
  /** The agent takes it in. */
  | { readonly kind: "consume"; readonly take: Consumption["take"]; readonly isKept: boolean }
  /** Envoy gets it, or what is made of it. */
  | { readonly kind: "relay" }
  /** It is for nobody here. */
  | { readonly kind: "leave out" };

/** Types that Envoy understands; a control plane may also send what is meant for an agent. */
const envoyTypes = "type.googleapis.com/envoy.";

/** Rows by type URL. Types come from the network: none finds anything but a row. */
export class HandlerTable {
  readonly #rows: ReadonlyMap<string, ResourceHandlers[string]>;

  constructor(handlers: ResourceHandlers) {
    this.#rows = new Map(Object.entries(handlers));
  }

  /** What the agent subscribes to itself, in the order of the table. */
  get subscriptions(): readonly string[] {
    return [...this.#rows].flatMap(([type, { kind }]) => (kind === "consume" ? [type] : []));
  }

  /** Types of which resources may be rewritten. */
  get rewritten(): readonly (readonly [type: string, rewriting: Rewriting])[] {
    return [...this.#rows].flatMap(([type, row]) =>
      row.kind === "relay" && row.rewriting !== undefined ? [[type, row.rewriting] as const] : [],
    );
  }

  /** What becomes of a response of this type. */
  route(typeUrl: string): Route {
    const row = this.#rows.get(typeUrl);
    if (row?.kind === "consume")
      return { kind: "consume", take: row.take, isKept: row.takeKept !== undefined };
    // A proxyless application in Envoy's place asks for workloads.
    const isEnvoys = row !== undefined || typeUrl.startsWith(envoyTypes) || typeUrl === types.workload;
    return { kind: isEnvoys ? "relay" : "leave out" };
  }

  /** What takes in what was kept, by type. */
  get kept(): readonly (readonly [type: string, takeKept: NonNullable<Consumption["takeKept"]>])[] {
    return [...this.#rows].flatMap(([type, row]) =>
      row.kind === "consume" && row.takeKept !== undefined ? [[type, row.takeKept] as const] : [],
    );
  }

  /** True for a resource that is never to be on disk. */
  holdsSecret(typeUrl: string, resource: Uint8Array): boolean {
    const row = this.#rows.get(typeUrl);
    return row?.kind === "relay" && row.holdsSecret?.(resource) === true;
  }
}

/** Give a handler what a response says. What it cannot be read as, or what the handler throws, refuses it. */
export async function takeIn(
  protocol: AdsProtocol,
  { resources: [view] }: ResponseFacts,
  take: Consumption["take"],
): Promise<Taken> {
  return await taking(() => take(view === undefined ? undefined : protocol.valueOf(view)));
}

/** Give a handler what was kept of an earlier response; undefined for one that had no resource. */
export async function takeInKept(
  resource: WireResource | undefined,
  take: Consumption["take"],
): Promise<Taken> {
  return await taking(() => take(resource === undefined ? undefined : delta.valueOf(resource.bytes)));
}

async function taking(take: () => Taken | Promise<Taken>): Promise<Taken> {
  try {
    return await take();
  } catch (error) {
    return { kind: "refused", reason: errorMessage(error) };
  }
}

/** The agent's answer to a response that it has taken in, or refused. */
export function answerTo({ typeUrl, nonce, version }: ResponseFacts, taken: Taken): LocalRequest {
  return taken.kind === "accepted" ? { typeUrl, nonce, version } : { typeUrl, nonce, error: taken.reason };
}
