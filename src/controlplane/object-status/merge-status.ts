/**
 * The status of an object beside what others say in it: pure.
 *
 * Conditions of other types, and what other controllers say of their own parents, stay. When a condition last turned is the
 * time at which its status did.
 */
import { isDeepStrictEqual } from "node:util";
import type { ListenerStatus, ParentStatus } from "../config/gateway-api/conditions.ts";
import { ownController } from "../config/gateway-api/gateway-classes.ts";
import { gatewayApiGroup } from "../config/rules/selection.ts";
import type { ApiObject } from "../kubernetes/api.ts";
import { mappingOf, mappingsOf, textOf } from "../kubernetes/resource.ts";
import type { StatusCondition, WantedStatus } from "./status.ts";

/** The fields that are to be another; undefined where all is said already. */
export function mergeStatus(existing: ApiObject, wanted: WantedStatus, now: Date): ApiObject | undefined {
  const next = statusOf(existing, wanted, now);
  const isSaid = Object.entries(next).every(([field, value]) => isSame(existing[field], value));
  return isSaid ? undefined : next;
}

/** A list that is not there is an empty one, and the API may write a generation as text. */
function isSame(existing: unknown, value: unknown): boolean {
  if (Array.isArray(value) && value.length === 0 && existing === undefined) return true;
  if (typeof value === "number") return Number(existing) === value;
  return isDeepStrictEqual(existing, value);
}

function statusOf(existing: ApiObject, wanted: WantedStatus, now: Date): ApiObject {
  const { generation } = wanted;
  const said = mappingsOf(existing["conditions"]);
  switch (wanted.kind) {
    case "istio":
      return {
        observedGeneration: generation,
        // Istio's conditions have a generation in newer versions only.
        conditions: conditionsBeside(said, wanted.conditions, { now }),
        validationMessages: wanted.messages,
      };
    case "class":
      return { conditions: conditionsBeside(said, wanted.conditions, { generation, now }) };
    case "gateway":
      return {
        conditions: conditionsBeside(said, wanted.conditions, { generation, now }),
        listeners: wanted.listeners.map((listener) =>
          listenerStatus(mappingsOf(existing["listeners"]), listener, { generation, now }),
        ),
        ...(wanted.addresses.length === 0 ? {} : { addresses: wanted.addresses }),
      };
    case "route":
      return { parents: parentsBeside(mappingsOf(existing["parents"]), wanted.parents, { generation, now }) };
  }
}

interface Moment {
  readonly generation?: number;
  readonly now: Date;
}

/** Ours in their places, and those of others in theirs. */
function conditionsBeside(
  said: readonly ApiObject[],
  wanted: readonly StatusCondition[],
  moment: Moment,
): readonly ApiObject[] {
  const own = new Map(wanted.map((condition) => [condition.type, condition]));
  const kept = said.map((each) => {
    const condition = own.get(textOf(each["type"]));
    own.delete(textOf(each["type"]));
    return condition === undefined ? each : conditionOf(each, condition, moment);
  });
  return [...kept, ...[...own.values()].map((condition) => conditionOf({}, condition, moment))];
}

function conditionOf(
  before: ApiObject,
  { type, isTrue, reason, message }: StatusCondition,
  { generation, now }: Moment,
): ApiObject {
  const status = isTrue ? "True" : "False";
  const turned = before["status"] === status ? textOf(before["lastTransitionTime"]) : "";
  return {
    ...{ type, status, reason, message },
    lastTransitionTime: turned || now.toISOString().replace(/\.\d+Z$/, "Z"),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
}

function listenerStatus(
  said: readonly ApiObject[],
  { name, supportedKinds, attachedRoutes, conditions }: ListenerStatus,
  moment: Moment,
): ApiObject {
  const before = said.find((each) => each["name"] === name);
  return {
    name,
    supportedKinds: supportedKinds.map((kind) => ({ group: gatewayApiGroup, kind })),
    attachedRoutes,
    conditions: conditionsBeside(mappingsOf(before?.["conditions"]), conditions, moment),
  };
}

/** Two references to one parent are two entries, each with its own section or port. */
function parentsBeside(
  said: readonly ApiObject[],
  wanted: readonly ParentStatus[],
  moment: Moment,
): readonly ApiObject[] {
  const isOwn = (each: ApiObject): boolean => each["controllerName"] === ownController;
  const own = wanted.map(({ parentRef, conditions }) => {
    const { group = gatewayApiGroup, kind = "Gateway", ...rest } = parentRef;
    const ref = { group, kind, ...rest };
    const before = said.find(
      (each) => isOwn(each) && isDeepStrictEqual({ ...mappingOf(each["parentRef"]) }, ref),
    );
    return {
      parentRef: ref,
      controllerName: ownController,
      conditions: conditionsBeside(mappingsOf(before?.["conditions"]), conditions, moment),
    };
  });
  return [...said.filter((each) => !isOwn(each)), ...own];
}
