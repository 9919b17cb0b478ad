/**
 * What the status of an object is to say, in values.
 */
import type { Condition, ListenerStatus, ParentStatus } from "../config/gateway-api/conditions.ts";

/** A condition of any kind's status. */
export type StatusCondition = Omit<Condition, "type"> & { readonly type: string };

/** One of the analysis' messages, as Istio's status has it. */
export interface AnalysisMessage {
  readonly type: { readonly name: string; readonly code: string };
  readonly level: "ERROR" | "WARNING" | "INFO";
  readonly documentationUrl: string;
}

/** Of a Gateway (GatewayStatusAddress of the Gateway API). */
export interface GatewayAddress {
  readonly type: "IPAddress" | "Hostname";
  readonly value: string;
}

/** Of one object, as it was when it was read. */
export type WantedStatus = { readonly generation: number } & (
  | {
      readonly kind: "istio";
      readonly conditions: readonly StatusCondition[];
      readonly messages: readonly AnalysisMessage[];
    }
  | { readonly kind: "class"; readonly conditions: readonly StatusCondition[] }
  | {
      readonly kind: "gateway";
      readonly conditions: readonly StatusCondition[];
      readonly listeners: readonly ListenerStatus[];
      /** Where it is called; those that are written stay while none is known. */
      readonly addresses: readonly GatewayAddress[];
    }
  | { readonly kind: "route"; readonly parents: readonly ParentStatus[] }
);
