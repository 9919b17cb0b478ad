/**
 * The extension configurations of one proxy (ECDS): its Wasm modules, which its agent fetches.
 */
import { StringValueSchema } from "@bufbuild/protobuf/wkt";
import type { TypedExtensionConfigJson } from "../../../proto/envoy/envoy/config/core/v3/extension_pb.js";
import { WasmSchema as HttpWasmSchema } from "../../../proto/envoy/envoy/extensions/filters/http/wasm/v3/wasm_pb.js";
import { WasmSchema as NetworkWasmSchema } from "../../../proto/envoy/envoy/extensions/filters/network/wasm/v3/wasm_pb.js";
import type { AsyncDataSourceJson } from "../../../proto/envoy/envoy/config/core/v3/base_pb.js";
import type {
  PluginConfigJson,
  FailurePolicyJson,
} from "../../../proto/envoy/envoy/extensions/wasm/v3/wasm_pb.js";
import type { Json } from "../../config/json-value.ts";
import type { WasmModuleSpec } from "../../config/objects.ts";
import { extensionsFor, isForProxy, type TrafficExtension } from "../../model/extensions.ts";
import { packed, typeUrlOf } from "../any.ts";
import type { WorkloadView } from "../view.ts";

/** Those of every extension that applies to the workload, wherever its listeners have it. */
export function generateExtensions({ model, proxy }: WorkloadView): readonly TypedExtensionConfigJson[] {
  return extensionsFor(model, proxy).flatMap((extension): readonly TypedExtensionConfigJson[] => {
    const { wasm } = extension.spec;
    if (wasm === undefined || !isForProxy(extension, proxy)) return [];
    const schema = wasm.type === "NETWORK" ? NetworkWasmSchema : HttpWasmSchema;
    const secret = secretOf(extension, wasm, { model, proxy });
    const config = pluginConfig(extension, wasm, secret);
    return [{ name: extension.resourceName, typedConfig: packed(schema, { config }) }];
  });
}

/**
 * Docker's configuration with the credentials of an image, from a Secret of the extension's own namespace. It is for proxies that
 * have proven who they are. Empty where there is none to be had: the agent fetches nothing then; undefined where none is named.
 */
function secretOf(
  { namespace }: TrafficExtension,
  { imagePullSecret = "" }: WasmModuleSpec,
  { model, proxy }: Pick<WorkloadView, "model" | "proxy">,
): string | undefined {
  if (imagePullSecret === "") return undefined;
  if (proxy.isProven !== true) return "";
  const name = imagePullSecret.replace(/^.*\//, "");
  const found = model.secrets.find((secret) => secret.namespace === namespace && secret.name === name);
  return found?.dockerConfig ?? "";
}

const failurePolicies = {
  FAIL_CLOSE: "FAIL_CLOSED",
  FAIL_OPEN: "FAIL_OPEN",
  FAIL_RELOAD: "FAIL_RELOAD",
} as const satisfies Readonly<Record<NonNullable<WasmModuleSpec["failStrategy"]>, FailurePolicyJson>>;

function pluginConfig(
  { namespace, name, version }: TrafficExtension,
  wasm: WasmModuleSpec,
  pullSecret: string | undefined,
): PluginConfigJson {
  const { pluginName, pluginConfig: config = {}, failStrategy = "FAIL_CLOSE", imagePullPolicy } = wasm;
  const env = wasm.vmConfig?.env ?? [];
  const inline = env.filter(({ valueFrom = "INLINE" }) => valueFrom === "INLINE");
  const hostEnvKeys = env.filter(({ valueFrom }) => valueFrom === "HOST").map((each) => each.name);
  return {
    name: `${namespace}.${name}`,
    ...(pluginName === undefined ? {} : { rootId: pluginName }),
    ...(Object.keys(config).length === 0
      ? {}
      : {
          configuration: packedText(JSON.stringify(sorted(config))),
        }),
    failurePolicy: failurePolicies[failStrategy],
    vmConfig: {
      runtime: "envoy.wasm.runtime.v8",
      code: codeOf(wasm),
      environmentVariables: {
        ...(hostEnvKeys.length === 0 ? {} : { hostEnvKeys }),
        keyValues: {
          ...Object.fromEntries(inline.map((each) => [each.name, each.value ?? ""])),
          // For the agent, which passes none of them on.
          ...(pullSecret === undefined ? {} : { ISTIO_META_WASM_IMAGE_PULL_SECRET: pullSecret }),
          ...(imagePullPolicy === undefined || imagePullPolicy === "UNSPECIFIED_POLICY"
            ? {}
            : { ISTIO_META_WASM_IMAGE_PULL_POLICY: imagePullPolicy }),
          ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION: version,
        },
      },
    },
  };
}

/** A StringValue, whose JSON is no mapping. */
function packedText(value: string): NonNullable<PluginConfigJson["configuration"]> {
  const content: object = { value };
  return { "@type": typeUrlOf(StringValueSchema), ...content };
}

/** Longest time that an agent takes to fetch a module, as in Istio. */
const fetchTimeout = "30s";

/** Istio's agents take it for none; Envoy wants something. */
const noHash = "nil";

function codeOf({ url, sha256 }: WasmModuleSpec): AsyncDataSourceJson {
  if (/^file:\/\//i.test(url)) return { local: { filename: url.slice("file://".length) } };
  return {
    remote: {
      httpUri: {
        uri: /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `oci://${url}`,
        timeout: fetchTimeout,
        // Envoy wants one, and asks nobody: the agent puts a file in the place of all this.
        cluster: "_",
      },
      sha256: sha256 ?? noHash,
    },
  };
}

/** The same says the same, however it was written. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, sorted(inner)]),
  );
}
