/** What spans several fields of a WasmPlugin or a TrafficExtension. */
import type { TrafficExtensionSpec, WasmModuleSpec, WasmPluginSpec } from "../objects.ts";
import { type Complaint, duplicates } from "./complaint.ts";
import { oneWayToSelect } from "./selection.ts";

/** Every broken rule. */
export function wasmPlugin(spec: WasmPluginSpec): readonly Complaint[] {
  return [...oneWayToSelect(spec), ...module(spec, "spec")];
}

/** Every broken rule. */
export function trafficExtension(spec: TrafficExtensionSpec): readonly Complaint[] {
  const { wasm, lua } = spec;
  return [
    ...oneWayToSelect(spec),
    ...((wasm === undefined) === (lua === undefined)
      ? [["spec", "needs exactly one of wasm and lua"] as const]
      : []),
    ...(wasm === undefined ? [] : module(wasm, "spec.wasm")),
  ];
}

/** Variables that the control plane tells the agent by: they never get into the module. */
export const agentsVariables = "ISTIO_META";

function module(
  { url, verificationKey, vmConfig = {}, ...rest }: WasmModuleSpec,
  path: string,
): readonly Complaint[] {
  const { env = [] } = vmConfig;
  const isFile = /^file:/i.test(url);
  return [
    ...(verificationKey === undefined || verificationKey === ""
      ? []
      : [
          [
            `${path}.verificationKey`,
            "is checked by nobody, here as in Istio: remove it, and say what the module must be by sha256",
          ] as const,
        ]),
    ...(["sha256", "imagePullPolicy", "imagePullSecret"] as const).flatMap((field): readonly Complaint[] =>
      isFile && rest[field] !== undefined
        ? [[`${path}.${field}`, "has no effect on a module of file://, which nobody fetches", "warning"]]
        : [],
    ),
    ...duplicates(
      env.map(({ name }) => name),
      `${path}.vmConfig.env`,
      "name",
    ),
    ...env.flatMap(({ name, valueFrom = "INLINE", value = "" }, index): readonly Complaint[] => {
      const at = `${path}.vmConfig.env[${index}]`;
      return [
        ...(valueFrom === "HOST" && value !== ""
          ? [[`${at}.value`, "goes with valueFrom INLINE only: that of HOST is the proxy's own"] as const]
          : []),
        ...(name.startsWith(agentsVariables)
          ? [
              [
                `${at}.name`,
                `has no effect: variables that begin with ${agentsVariables} are between control plane and agent`,
                "warning",
              ] as const,
            ]
          : []),
      ];
    }),
  ];
}
