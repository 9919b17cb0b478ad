/**
 * What Envoy gets in place of a filter whose module is not there: an RBAC filter that allows or denies everything,
 * as Istio's agent sends it. Pure.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import {
  HttpRbacSchema,
  NetworkRbacSchema,
  RulesSchema,
  TypedExtensionConfigSchema,
} from "../proto/agent/wasm_pb.js";

/** Where the filter stands. */
export type FilterKind = "http" | "network";

/** A TypedExtensionConfig of this name. */
export function standIn(name: string, filter: FilterKind, failOpen: boolean): Uint8Array {
  const prefix = failOpen ? "wasm-default-allow" : "wasm-default-deny";
  // Without rules everything is allowed; rules that name nobody allow nothing.
  const rules = failOpen ? {} : { rules: create(RulesSchema) };
  const value =
    filter === "http"
      ? toBinary(HttpRbacSchema, create(HttpRbacSchema, { ...rules, rulesStatPrefix: prefix }))
      : toBinary(NetworkRbacSchema, create(NetworkRbacSchema, { ...rules, statPrefix: prefix }));
  const typeUrl = `type.googleapis.com/envoy.extensions.filters.${filter}.rbac.v3.RBAC`;
  return toBinary(
    TypedExtensionConfigSchema,
    create(TypedExtensionConfigSchema, { name, typedConfig: { typeUrl, value } }),
  );
}
