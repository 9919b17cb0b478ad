/** What can be wrong with a WasmPlugin or a TrafficExtension. */
import { absent } from "../istio-objects.ts";
import { missing, type ProblemRow } from "./words.ts";

const url =
  "must be the URL of a module that begins with oci://, https://, http:// or file://, or the name of an image";
const hash = "must be 64 lower-case hexadecimal digits";
const gateway = { group: "gateway.networking.k8s.io", kind: "Gateway", name: "a" };

/** What is wrong with a module, wherever it stands. */
const module = (at: string): readonly ProblemRow[] => [
  [`${at}.url`, absent, missing],
  [`${at}.url`, "", url],
  [`${at}.url`, "ftp://example.com/a.wasm", url],
  [`${at}.url`, "localhost:5000/a", url],
  [`${at}.url`, "oci://a b", url],
  [`${at}.url`, "file://", url],
  [`${at}.sha256`, "abc", hash],
  [`${at}.sha256`, "A".repeat(64), hash],
  [`${at}.imagePullPolicy`, "Never", "must be one of UNSPECIFIED_POLICY, IfNotPresent, Always"],
  [`${at}.imagePullSecret`, "a".repeat(254), "must be the name of a Secret, of at most 253 characters"],
  [
    `${at}.verificationKey`,
    "key",
    "is checked by nobody, here as in Istio: remove it, and say what the module must be by sha256",
  ],
  [`${at}.pluginConfig`, [], "must be a mapping"],
  [`${at}.pluginName`, "a".repeat(257), "must be text of at most 256 characters"],
  [`${at}.failStrategy`, "FAIL", "must be one of FAIL_CLOSE, FAIL_OPEN, FAIL_RELOAD"],
  [`${at}.type`, "UDP", "must be one of UNSPECIFIED_PLUGIN_TYPE, HTTP, NETWORK"],
  [`${at}.vmConfig.env[0].name`, absent, missing],
  [
    `${at}.vmConfig.env[0].name`,
    "a".repeat(257),
    "must be the name of a variable, of at most 256 characters",
  ],
  [`${at}.vmConfig.env[0].valueFrom`, "FILE", "must be one of INLINE, HOST"],
  [
    `${at}.vmConfig.env[0].valueFrom`,
    "HOST",
    `${at}.vmConfig.env[0].value: goes with valueFrom INLINE only: that of HOST is the proxy's own`,
  ],
  [
    `${at}.vmConfig.env`,
    [{ name: "A" }, { name: "A" }],
    `${at}.vmConfig.env[1].name: A is there already: make it unique`,
  ],
];

const common: readonly ProblemRow[] = [
  ["spec.targetRefs", [gateway], "spec: may have only one of selector, targetRef and targetRefs"],
  ["spec.priority", 1.5, "must be a whole number from -2147483648 to 2147483647"],
  ["spec.match[0].mode", "BOTH", "must be one of UNDEFINED, CLIENT, SERVER, CLIENT_AND_SERVER"],
  ["spec.match[0].ports[0].number", 0, "must be a whole number from 1 to 65535"],
  ["spec.match[0].ports[0].number", absent, missing],
];

export const wasmPluginProblems: readonly ProblemRow[] = [
  ...common,
  ["spec.phase", "UNSPECIFIED", "must be one of UNSPECIFIED_PHASE, AUTHN, AUTHZ, STATS"],
  ...module("spec"),
];

export const trafficExtensionProblems: readonly ProblemRow[] = [
  ...common,
  ["spec.phase", "UNSPECIFIED_PHASE", "must be one of UNSPECIFIED, AUTHN, AUTHZ, STATS"],
  ["spec.wasm", absent, "spec: needs exactly one of wasm and lua"],
  ["spec.lua", { inlineCode: "a = 1" }, "spec: needs exactly one of wasm and lua"],
  ["spec.lua", { inlineCode: "" }, "spec.lua.inlineCode: must be a script of at most 65536 bytes"],
  ...module("spec.wasm"),
];
