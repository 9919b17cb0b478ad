/** Extension configurations with Wasm filters, as control planes send them. */
import { WireType } from "@bufbuild/protobuf/wire";
import { create, fromBinary, fromJson, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { DeltaDiscoveryResponseSchema, DiscoveryResponseSchema } from "../../src/proto/agent/discovery_pb.js";
import {
  HttpRbacSchema,
  NetworkRbacSchema,
  TypedExtensionConfigSchema,
  TypedStructSchema,
  WasmSchema,
} from "../../src/proto/agent/wasm_pb.js";
import { typeUrl } from "../../src/xds/type-urls.ts";
import type { Encoding } from "./xds-messages.ts";

const prefix = "type.googleapis.com/";

/** The least that is a module; `salt` makes it another one. */
export function wasmModule(salt = ""): Buffer {
  const content = Buffer.from(`\u0004salt${salt}`);
  return Buffer.concat([Buffer.from("0061736d0100000000", "hex"), Buffer.from([content.length]), content]);
}

export interface PluginSettings {
  readonly name: string;
  readonly url?: string;
  readonly sha256?: string;
  readonly timeoutMs?: number;
  readonly failOpen?: boolean;
  readonly failurePolicy?: "FAIL_OPEN" | "FAIL_CLOSED" | "FAIL_RELOAD";
  readonly environment?: Readonly<Record<string, string>>;
  readonly filter?: "http" | "network";
  /** Of the code instead of a remote one. */
  readonly code?: JsonObject;
  /** Of the VM: a field that the agent does not know. */
  readonly runtime?: string;
}

/** The filter's configuration as JSON. */
export function wasmJson(settings: PluginSettings): JsonObject {
  const { url, sha256, timeoutMs, failOpen, failurePolicy, environment, code } = settings;
  const httpUri = {
    ...(url === undefined ? {} : { uri: url }),
    ...(timeoutMs === undefined ? {} : { timeout: `${timeoutMs / 1_000}s` }),
  };
  return {
    config: {
      name: `plugin-${settings.name}`,
      ...(failOpen === undefined ? {} : { failOpen }),
      ...(failurePolicy === undefined ? {} : { failurePolicy }),
      vmConfig: {
        code: code ?? { remote: { httpUri, ...(sha256 === undefined ? {} : { sha256 }) } },
        ...(environment === undefined ? {} : { environmentVariables: { keyValues: { ...environment } } }),
      },
    },
  };
}

/** A TypedExtensionConfig whose filter is a message of its own. */
export function wasmExtension(settings: PluginSettings): Uint8Array {
  const wasm = fromJson(WasmSchema, wasmJson(settings));
  const { runtime } = settings;
  if (runtime !== undefined && wasm.config?.vmConfig !== undefined) {
    const data = Buffer.concat([Buffer.from([runtime.length]), Buffer.from(runtime)]);
    wasm.config.vmConfig.$unknown = [{ no: 2, wireType: WireType.LengthDelimited, data }];
  }
  const value = toBinary(WasmSchema, wasm);
  return extension(settings.name, `${prefix}${wasmType(settings)}`, value);
}

/** A TypedExtensionConfig whose filter is a TypedStruct, with these fields. */
export function wasmStruct(settings: PluginSettings, fields: JsonObject = wasmJson(settings)): Uint8Array {
  const { runtime } = settings;
  const config = fields["config"] as { readonly vmConfig?: JsonObject } | undefined;
  const value =
    runtime === undefined
      ? fields
      : { ...fields, config: { ...config, vmConfig: { ...config?.vmConfig, runtime } } };
  const struct = create(TypedStructSchema, { typeUrl: `${prefix}${wasmType(settings)}`, value });
  return extension(settings.name, `${prefix}udpa.type.v1.TypedStruct`, toBinary(TypedStructSchema, struct));
}

/** Any TypedExtensionConfig. */
export function extension(name: string, type: string, value: Uint8Array): Uint8Array {
  const config = create(TypedExtensionConfigSchema, { name, typedConfig: { typeUrl: type, value } });
  return toBinary(TypedExtensionConfigSchema, config);
}

/** What Envoy would make of a TypedExtensionConfig. */
export type ReadExtension =
  | { readonly kind: "file"; readonly path: string; readonly environment: Readonly<Record<string, string>> }
  | { readonly kind: "remote"; readonly url: string }
  | { readonly kind: "allow" | "deny"; readonly prefix: string; readonly type: string }
  | { readonly kind: "other" };

export function readExtension(bytes: Uint8Array): ReadExtension {
  const { typedConfig } = fromBinary(TypedExtensionConfigSchema, bytes);
  const type = typedConfig?.typeUrl.slice(prefix.length) ?? "";
  const value = typedConfig?.value ?? new Uint8Array();
  if (type.endsWith(".rbac.v3.RBAC")) {
    const isHttp = type.includes(".http.");
    const http = fromBinary(HttpRbacSchema, value);
    const network = fromBinary(NetworkRbacSchema, value);
    const rules = isHttp ? http.rules : network.rules;
    const statPrefix = isHttp ? http.rulesStatPrefix : network.statPrefix;
    return { kind: rules === undefined ? "allow" : "deny", prefix: statPrefix, type };
  }
  const isStruct = type.endsWith(".TypedStruct");
  if (!isStruct && !type.endsWith(".wasm.v3.Wasm")) return { kind: "other" };
  const wasm = isStruct
    ? fromJson(WasmSchema, fromBinary(TypedStructSchema, value).value ?? {}, { ignoreUnknownFields: true })
    : fromBinary(WasmSchema, value);
  const vm = wasm.config?.vmConfig;
  const code = vm?.code?.specifier;
  if (code?.case === "remote") return { kind: "remote", url: code.value.httpUri?.uri ?? "" };
  if (code?.case !== "local" || code.value.specifier.case !== "filename") return { kind: "other" };
  return {
    kind: "file",
    path: code.value.specifier.value,
    environment: vm?.environmentVariables?.keyValues ?? {},
  };
}

/** A response with these TypedExtensionConfigs. */
export function extensionResponse(
  encoding: Encoding,
  nonce: string,
  extensions: readonly Uint8Array[],
  removed: readonly string[] = [],
): Buffer {
  const anys = extensions.map((value) => ({ typeUrl: typeUrl.extension, value }));
  if (encoding.method === "StreamAggregatedResources") {
    const fields = { typeUrl: typeUrl.extension, nonce, versionInfo: nonce, resources: anys };
    return Buffer.from(toBinary(DiscoveryResponseSchema, create(DiscoveryResponseSchema, fields)));
  }
  const resources = anys.map((resource) => ({
    name: fromBinary(TypedExtensionConfigSchema, resource.value).name,
    version: nonce,
    resource,
  }));
  const response = create(DeltaDiscoveryResponseSchema, {
    typeUrl: typeUrl.extension,
    nonce,
    resources,
    removedResources: [...removed],
  });
  return Buffer.from(toBinary(DeltaDiscoveryResponseSchema, response));
}

/** The nonce of a response, and its TypedExtensionConfigs by name. */
export function readExtensions(
  encoding: Encoding,
  response: Buffer,
): {
  readonly nonce: string;
  readonly extensions: Readonly<Record<string, ReadExtension>>;
  readonly removed: readonly string[];
} {
  const named = (values: readonly Uint8Array[]): Record<string, ReadExtension> =>
    Object.fromEntries(
      values.map((value) => [fromBinary(TypedExtensionConfigSchema, value).name, readExtension(value)]),
    );
  if (encoding.method === "StreamAggregatedResources") {
    const { nonce, resources } = fromBinary(DiscoveryResponseSchema, response);
    return { nonce, extensions: named(resources.map(({ value }) => value)), removed: [] };
  }
  const { nonce, resources, removedResources } = fromBinary(DeltaDiscoveryResponseSchema, response);
  const values = resources.map(({ resource }) => resource?.value ?? new Uint8Array());
  return { nonce, extensions: named(values), removed: removedResources };
}

function wasmType({ filter = "http" }: PluginSettings): string {
  return `envoy.extensions.filters.${filter}.wasm.v3.Wasm`;
}
