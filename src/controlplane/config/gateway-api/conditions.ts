/**
 * What came of objects of the Gateway API, in the words of its status (GatewayConditionType, ListenerConditionType,
 * RouteConditionType and their reasons): what Kubernetes is told, and what warnings are made of.
 */
import type { ObjectOrigin, ParentRef } from "../objects.ts";

/** One condition of a status. */
export interface Condition {
  readonly type: "Accepted" | "Conflicted" | "Programmed" | "ResolvedRefs";
  readonly isTrue: boolean;
  /** The API's own word, such as `NoMatchingParent`. */
  readonly reason: string;
  readonly message: string;
}

/** Why something has no effect, or not the one that it says. */
export interface Fault {
  /** Of the field, such as `spec.rules[0].backendRefs[1]`. */
  readonly path: string;
  readonly type: "Accepted" | "Conflicted" | "ResolvedRefs";
  readonly reason: string;
  readonly message: string;
}

/** What a route's parents make of it: those that this control plane knows. */
export interface RouteStatus {
  readonly object: ObjectOrigin;
  readonly parents: readonly ParentStatus[];
}

/** What one parent makes of a route. */
export interface ParentStatus {
  readonly parentRef: ParentRef;
  readonly conditions: readonly Condition[];
  /** It names a Gateway that is not there, or is refused: whose that is nobody can say by the name. */
  readonly isUnknownGateway?: true;
}

/** Of a Gateway of this control plane. */
export interface GatewayStatus {
  readonly object: ObjectOrigin;
  readonly conditions: readonly Condition[];
  readonly listeners: readonly ListenerStatus[];
}

/** Of one of its listeners. */
export interface ListenerStatus {
  readonly name: string;
  readonly supportedKinds: readonly string[];
  readonly attachedRoutes: number;
  readonly conditions: readonly Condition[];
}

/** A route's conditions at one parent. */
export function routeConditions(faults: readonly Fault[]): readonly Condition[] {
  return [conditionOf("Accepted", faults), conditionOf("ResolvedRefs", faults)];
}

/** A listener's: one that conflicts or has no certificate is not programmed. */
export function listenerConditions(faults: readonly Fault[]): readonly Condition[] {
  const conflict = faults.find(({ type }) => type === "Conflicted");
  const [first] = faults;
  return [
    conflict === undefined
      ? conditionOf("Accepted", faults)
      : { type: "Accepted", isTrue: false, reason: conflict.reason, message: conflict.message },
    {
      type: "Conflicted",
      isTrue: conflict !== undefined,
      reason: conflict?.reason ?? "NoConflicts",
      message: conflict?.message ?? "",
    },
    conditionOf("ResolvedRefs", faults),
    first === undefined
      ? { type: "Programmed", isTrue: true, reason: "Programmed", message: "" }
      : { type: "Programmed", isTrue: false, reason: "Invalid", message: first.message },
  ];
}

/** A Gateway's: it is accepted as long as one of its listeners is. */
export function gatewayConditions(listeners: readonly ListenerStatus[]): readonly Condition[] {
  const isProgrammed = ({ conditions }: ListenerStatus): boolean =>
    conditions.some(({ type, isTrue }) => type === "Programmed" && isTrue);
  const good = listeners.filter(isProgrammed).length;
  const reason = good === listeners.length ? "Accepted" : "ListenersNotValid";
  const message = good === listeners.length ? "" : `${good} of ${listeners.length} listeners are valid`;
  return [
    { type: "Accepted", isTrue: good > 0, reason, message },
    { type: "Programmed", isTrue: good > 0, reason: good > 0 ? "Programmed" : "Invalid", message },
  ];
}

function conditionOf(type: "Accepted" | "ResolvedRefs", faults: readonly Fault[]): Condition {
  const found = faults.filter((fault) => fault.type === type);
  const [first] = found;
  return first === undefined
    ? { type, isTrue: true, reason: type, message: "" }
    : { type, isTrue: false, reason: first.reason, message: found.map(({ message }) => message).join("; ") };
}
