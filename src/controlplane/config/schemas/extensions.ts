/**
 * Filters that Envoy does not have: WasmPlugin, and TrafficExtension, which may be one in Lua as well.
 */
import { integer, list, object, oneOf, optional, required, text } from "../decode.ts";
import { isModuleUrl, moduleUrlForm } from "../forms.ts";
import { jsonObject } from "../json-value.ts";
import { matchLabels, portNumber, targetRef } from "./common.ts";

const textOrEmpty = text("text", () => true);

const match = optional(
  list(
    object({
      mode: optional(oneOf("UNDEFINED", "CLIENT", "SERVER", "CLIENT_AND_SERVER")),
      ports: optional(list(object({ number: required(portNumber) }))),
    }),
  ),
);

const priority = optional(integer(-2_147_483_648, 2_147_483_647));

const wasmFields = {
  url: required(text(moduleUrlForm, isModuleUrl)),
  sha256: optional(text("64 lower-case hexadecimal digits", (value) => /^[0-9a-f]{64}$/.test(value))),
  imagePullPolicy: optional(oneOf("UNSPECIFIED_POLICY", "IfNotPresent", "Always")),
  imagePullSecret: optional(
    text("the name of a Secret, of at most 253 characters", (value) => value.length <= 253),
  ),
  verificationKey: optional(textOrEmpty),
  pluginConfig: optional(jsonObject),
  pluginName: optional(text("text of at most 256 characters", (value) => value.length <= 256)),
  failStrategy: optional(oneOf("FAIL_CLOSE", "FAIL_OPEN", "FAIL_RELOAD")),
  vmConfig: optional(
    object({
      env: optional(
        list(
          object({
            name: required(
              text(
                "the name of a variable, of at most 256 characters",
                ({ length }) => length > 0 && length <= 256,
              ),
            ),
            valueFrom: optional(oneOf("INLINE", "HOST")),
            value: optional(textOrEmpty),
          }),
        ),
      ),
    }),
  ),
  type: optional(oneOf("UNSPECIFIED_PLUGIN_TYPE", "HTTP", "NETWORK")),
};

const wasm = object(wasmFields);

/** `spec` of a WasmPlugin (extensions.istio.io/v1alpha1). */
export const wasmPlugin = object({
  selector: optional(matchLabels),
  targetRef: optional(targetRef),
  targetRefs: optional(list(targetRef)),
  phase: optional(oneOf("UNSPECIFIED_PHASE", "AUTHN", "AUTHZ", "STATS")),
  priority,
  match,
  ...wasmFields,
});

/** Istio's bound of a script, in bytes. */
const mostLuaBytes = 65_536;

/** `spec` of a TrafficExtension (extensions.istio.io/v1alpha1). */
export const trafficExtension = object({
  selector: optional(matchLabels),
  targetRefs: optional(list(targetRef)),
  phase: optional(oneOf("UNSPECIFIED", "AUTHN", "AUTHZ", "STATS")),
  priority,
  match,
  wasm: optional(wasm),
  lua: optional(
    object({
      inlineCode: required(
        text(
          "a script of at most 65536 bytes",
          (value) => value !== "" && Buffer.byteLength(value) <= mostLuaBytes,
        ),
      ),
    }),
  ),
});
