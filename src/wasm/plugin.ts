/**
 * The Wasm plugin in an extension configuration: what has to be fetched for it, and the configuration with the
 * fetched file in its place. Pure.
 *
 * The filter's configuration is a message of its own or a TypedStruct, as EnvoyFilters have it. Fields that the
 * agent does not know stay as they are in both.
 */
import { create, fromBinary, fromJson, type JsonObject, toBinary } from "@bufbuild/protobuf";
import {
  AsyncDataSourceSchema,
  FailurePolicy,
  type PluginConfig,
  type TypedExtensionConfig,
  TypedExtensionConfigSchema,
  TypedStructSchema,
  type Wasm,
  WasmSchema,
} from "../proto/agent/wasm_pb.js";
import { errorMessage } from "../lifecycle/error-message.ts";
import { pullSecretVariable } from "./marks.ts";
import { structWithFile } from "./plugin-struct.ts";
import type { FilterKind } from "./stand-in.ts";

/** When a module that is there is fetched again. */
export type PullPolicy = "unspecified" | "if-not-present" | "always";

/** A module to fetch. */
export interface RemoteModule {
  readonly url: string;
  /** As it was given: 64 hexadecimal digits, if it is right. */
  readonly sha256: string | undefined;
  /** Longest time for all of it, in milliseconds. */
  readonly timeoutMs: number;
  /** Docker's configuration as JSON; undefined when none is named. */
  readonly pullSecret: string | undefined;
  readonly pullPolicy: PullPolicy;
  /** Changes with the control plane's resource. */
  readonly resourceVersion: string;
}

/** What an extension configuration is to the agent. */
export type Plugin =
  /** No filter of Wasm, or one with its code inline. */
  | { readonly kind: "other" }
  | (PluginBase & { readonly kind: "file"; readonly path: string })
  | (PluginBase & {
      readonly kind: "remote";
      readonly module: RemoteModule;
      /** The configuration with a file as its code. */
      readonly withFile: (path: string) => Uint8Array;
    })
  | {
      readonly kind: "broken";
      readonly name: string;
      readonly result: BrokenResult;
      readonly reason: string;
    };

/** What is known of every filter of Wasm. */
interface PluginBase {
  /** Of the resource. */
  readonly name: string;
  readonly filter: FilterKind;
  /** True lets traffic pass when there is no module. */
  readonly failOpen: boolean;
}

/** Istio's values of the label `result` of wasm_config_conversion_count. */
export type BrokenResult = "unmarshal_failure" | "miss_remote_fetch_hint";

const typePrefix = "type.googleapis.com/";
const filters: ReadonlyMap<string, FilterKind> = new Map([
  [`${typePrefix}envoy.extensions.filters.http.wasm.v3.Wasm`, "http"],
  [`${typePrefix}envoy.extensions.filters.network.wasm.v3.Wasm`, "network"],
]);
const structs: readonly string[] = [
  `${typePrefix}udpa.type.v1.TypedStruct`,
  `${typePrefix}xds.type.v3.TypedStruct`,
];

/** What the control plane puts into the environment for the agent alone. */
const agentsOwn = "ISTIO_META";
const variables = {
  pullSecret: pullSecretVariable,
  pullPolicy: "ISTIO_META_WASM_IMAGE_PULL_POLICY",
  resourceVersion: "ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION",
} as const;

const defaultTimeoutMs = 5_000;
/** A deadline that is further off is none. */
const longestTimeoutMs = 600_000;

/** Read a TypedExtensionConfig. Never throws: what cannot be read is broken. */
export function readPlugin(extension: Uint8Array): Plugin {
  let name = "";
  try {
    const config = fromBinary(TypedExtensionConfigSchema, extension);
    name = config.name;
    return readFilter(config);
  } catch (error) {
    return {
      kind: "broken",
      name,
      result: "unmarshal_failure",
      reason: `it cannot be read: ${errorMessage(error)}`,
    };
  }
}

function readFilter(config: TypedExtensionConfig): Plugin {
  const { typedConfig } = config;
  if (typedConfig === undefined) return { kind: "other" };
  const filter = filters.get(typedConfig.typeUrl);
  if (filter !== undefined) {
    const wasm = fromBinary(WasmSchema, typedConfig.value);
    const value = (path: string): Uint8Array => toBinary(WasmSchema, messageWithFile(wasm, path));
    return readWasm(config, filter, wasm, value);
  }
  if (!structs.includes(typedConfig.typeUrl)) return { kind: "other" };
  const struct = fromBinary(TypedStructSchema, typedConfig.value);
  const inStruct = filters.get(struct.typeUrl);
  if (inStruct === undefined) return { kind: "other" };
  const fields: JsonObject = struct.value ?? {};
  const wasm = fromJson(WasmSchema, fields, { ignoreUnknownFields: true });
  return readWasm(config, inStruct, wasm, (path) =>
    toBinary(TypedStructSchema, { ...struct, value: structWithFile(fields, path, isAgentsOwn) }),
  );
}

function readWasm(
  config: TypedExtensionConfig,
  filter: FilterKind,
  { config: plugin }: Wasm,
  valueWithFile: (path: string) => Uint8Array,
): Plugin {
  const { name, typedConfig } = config;
  const code = plugin?.vmConfig?.code?.specifier;
  const base = { name, filter, failOpen: isFailOpen(plugin) };
  if (code?.case === "local") {
    const { specifier } = code.value;
    return specifier.case === "filename"
      ? { kind: "file", ...base, path: specifier.value }
      : { kind: "other" };
  }
  if (plugin === undefined || code?.case !== "remote")
    return {
      kind: "broken",
      name,
      result: "unmarshal_failure",
      reason: "it has neither local nor remote code",
    };
  const { httpUri, sha256 } = code.value;
  if (httpUri === undefined || httpUri.uri === "")
    return { kind: "broken", name, result: "miss_remote_fetch_hint", reason: "its remote code has no URI" };
  const environment = plugin.vmConfig?.environmentVariables?.keyValues ?? {};
  return {
    kind: "remote",
    ...base,
    module: {
      url: httpUri.uri,
      // Istio's word for none.
      sha256: sha256 === "" || sha256 === "nil" ? undefined : sha256.toLowerCase(),
      timeoutMs: timeoutMs(httpUri.timeout),
      pullSecret: environment[variables.pullSecret],
      pullPolicy: pullPolicy(environment[variables.pullPolicy]),
      resourceVersion: environment[variables.resourceVersion] ?? "",
    },
    withFile: (path) =>
      toBinary(TypedExtensionConfigSchema, {
        ...config,
        ...(typedConfig === undefined ? {} : { typedConfig: { ...typedConfig, value: valueWithFile(path) } }),
      }),
  };
}

function messageWithFile(wasm: Wasm, filename: string): Wasm {
  const { config } = wasm;
  const vmConfig = config?.vmConfig;
  if (config === undefined || vmConfig === undefined) return wasm;
  const { environmentVariables: variablesOfVm } = vmConfig;
  const code = create(AsyncDataSourceSchema, {
    specifier: { case: "local", value: { specifier: { case: "filename", value: filename } } },
  });
  const environment =
    variablesOfVm === undefined
      ? {}
      : {
          environmentVariables: {
            ...variablesOfVm,
            keyValues: Object.fromEntries(
              Object.entries(variablesOfVm.keyValues).filter(([key]) => !isAgentsOwn(key)),
            ),
          },
        };
  return { ...wasm, config: { ...config, vmConfig: { ...vmConfig, code, ...environment } } };
}

function isAgentsOwn(variable: string): boolean {
  return variable.startsWith(agentsOwn);
}

function isFailOpen(plugin: PluginConfig | undefined): boolean {
  if (plugin === undefined || plugin.failurePolicy === FailurePolicy.UNSPECIFIED)
    return plugin?.failOpen ?? false;
  return plugin.failurePolicy === FailurePolicy.FAIL_OPEN;
}

function timeoutMs(timeout: { readonly seconds: bigint; readonly nanos: number } | undefined): number {
  if (timeout === undefined) return defaultTimeoutMs;
  const ms = Number(timeout.seconds) * 1_000 + timeout.nanos / 1e6;
  return ms > 0 ? Math.min(Math.ceil(ms), longestTimeoutMs) : defaultTimeoutMs;
}

function pullPolicy(text: string | undefined): PullPolicy {
  if (text === "Always") return "always";
  return text === "IfNotPresent" ? "if-not-present" : "unspecified";
}
