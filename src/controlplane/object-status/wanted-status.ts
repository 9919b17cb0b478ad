/**
 * What the status of each object of a cluster is to say: of Istio's kinds whether they are served and what the analysis finds
 * (Istio's "Configuration Status Field"), of the Gateway API's what its own status says. Pure, but for what it keeps.
 */
import type { Condition, GatewayStatus } from "../config/gateway-api/conditions.ts";
import type { Converted } from "../config/gateway-api/convert.ts";
import { GatewayClasses, ownController } from "../config/gateway-api/gateway-classes.ts";
import { KeptConversion } from "../config/gateway-api/kept-conversion.ts";
import { type ConfigObject, type Kinds, objectId } from "../config/objects.ts";
import type { ConfigProblem } from "../config/problem.ts";
import { refusedBy } from "../config/refused.ts";
import { gatewayApiGroup } from "../config/rules/selection.ts";
import { kinds } from "../config/schema.ts";
import { mappingOf } from "../kubernetes/resource.ts";
import type { Configuration } from "../registry/registry.ts";
import type { Original } from "../registry/source.ts";
import { istioStatus, textOf } from "./istio-status.ts";
import { refusedParents } from "./refused-parents.ts";
import { GatewayAddresses } from "./gateway-addresses.ts";
import type { GatewayAddress, WantedStatus } from "./status.ts";

/** A status, and what it was made of. */
interface Made {
  readonly parts: readonly unknown[];
  readonly status: WantedStatus | undefined;
}

/** One configuration after the other: what a status is to say is the same value as before where nothing has changed. */
export class WantedStatuses {
  readonly #conversion = new KeptConversion();
  #made: ReadonlyMap<string, Made> = new Map();

  /** By `objectId`. */
  of(configuration: Configuration): ReadonlyMap<string, WantedStatus> {
    const { objects, originals, problems } = configuration;
    const taken = new Map<string, ConfigObject>();
    for (const object of objects) {
      const id = objectId(object);
      if (originals.has(id)) taken.set(id, object);
    }
    const told = Map.groupBy(problems, ({ source }) => source);
    const converted = this.#conversion.convert(objects, refusedBy(problems));
    const gateways = new Map(converted.gateways.map((each) => [objectId(each.object), each]));
    const routes = new Map(converted.routes.map((each) => [objectId(each.object), each]));
    const classes = new GatewayClasses(objects);
    const addresses = new GatewayAddresses(objects);
    const isOwnGateway = (id: string): boolean => {
      const { gatewayClassName } = mappingOf(originals.get(id)?.object["spec"]);
      return gateways.has(id) || (typeof gatewayClassName === "string" && classes.isOwn(gatewayClassName));
    };
    const made = new Map<string, Made>(
      [...originals].map(([id, original]) => {
        const own = told.get(original.source) ?? [];
        const object = taken.get(id);
        const others = kinds[kindIn(id)].group === gatewayApiGroup ? converted : undefined;
        const called = object?.kind === "KubernetesGateway" ? addresses.of(object) : [];
        const parts = [original.object, object, others, JSON.stringify([own, called])];
        const before = this.#made.get(id);
        if (before?.parts.every((part, at) => part === parts[at]) === true) return [id, before] as const;
        const found = {
          id,
          original,
          object,
          problems: own,
          addresses: called,
          gateways,
          routes,
          isOwnGateway,
        };
        return [id, { parts, status: statusOf(found) }] as const;
      }),
    );
    this.#made = made;
    return new Map(
      [...made].flatMap(([id, { status }]) => (status === undefined ? [] : [[id, status] as const])),
    );
  }
}

interface Found {
  readonly id: string;
  readonly original: Original;
  /** What is served of it: its last good state where it is refused, or another source's. */
  readonly object: ConfigObject | undefined;
  /** At its place. */
  readonly problems: readonly ConfigProblem[];
  /** Of a Gateway. */
  readonly addresses: readonly GatewayAddress[];
  readonly gateways: ReadonlyMap<string, GatewayStatus>;
  readonly routes: ReadonlyMap<string, Converted["routes"][number]>;
  /** By `objectId`: by its class one that is refused is, too. */
  readonly isOwnGateway: (id: string) => boolean;
}

function statusOf(found: Found): WantedStatus | undefined {
  const { id, original, object } = found;
  const metadata = mappingOf(original.object["metadata"]);
  const { generation } = metadata;
  if (typeof generation !== "number") return undefined;
  const kind = kindIn(id);
  const isHidden = object !== undefined && object.source !== original.source;
  if (kinds[kind].group !== gatewayApiGroup)
    return { generation, ...istioStatus(id, found.problems, isHidden) };
  // What another source has in its place has no status here.
  if (isHidden) return undefined;
  const refusal = textOf(found.problems.filter(({ refuses }) => refuses === id));
  const spec = mappingOf(original.object["spec"]);
  switch (kind) {
    case "GatewayClass":
      if (spec["controllerName"] !== ownController) return undefined;
      return { generation, kind: "class", conditions: [accepted(refusal, "InvalidParameters")] };
    case "KubernetesGateway": {
      const known = found.gateways.get(id);
      const { addresses } = found;
      if (refusal === "")
        return known === undefined ? undefined : { generation, ...known, addresses, kind: "gateway" };
      if (!found.isOwnGateway(id)) return undefined;
      const conditions = [
        accepted(refusal, "Invalid"),
        { type: "Programmed", isTrue: false, reason: "Invalid", message: refusal },
      ];
      return { generation, kind: "gateway", conditions, listeners: known?.listeners ?? [], addresses };
    }
    case "ReferenceGrant":
      return undefined;
    default: {
      const namespace = String(metadata["namespace"]);
      const { isOwnGateway } = found;
      const conditions = [accepted(refusal, "UnsupportedValue")];
      const parents =
        refusal === ""
          ? (found.routes.get(id)?.parents ?? []).filter(
              ({ parentRef, isUnknownGateway }) =>
                isUnknownGateway !== true ||
                isOwnGateway(`KubernetesGateway ${parentRef.namespace ?? namespace}/${parentRef.name}`),
            )
          : refusedParents(spec, { namespace, isOwnGateway, conditions });
      return { generation, kind: "route", parents };
    }
  }
}

function accepted(refusal: string, reason: string): Condition {
  return refusal === ""
    ? { type: "Accepted", isTrue: true, reason: "Accepted", message: "" }
    : { type: "Accepted", isTrue: false, reason, message: refusal };
}

function kindIn(id: string): keyof Kinds {
  return id.slice(0, id.indexOf(" ")) as keyof Kinds;
}
