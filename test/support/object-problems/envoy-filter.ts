/** What can be wrong with an EnvoyFilter. */
import { absent } from "../istio-objects.ts";
import { label, missing, type ProblemRow } from "./words.ts";

const patch = "spec.configPatches[0]";
const filter = `${patch}.match.listener.filterChain.filter`;

export const envoyFilterProblems: readonly ProblemRow[] = [
  ["spec.workloadSelector.labels.app", 1, label],
  [
    "spec.targetRefs",
    [{ group: "gateway.networking.k8s.io", kind: "Gateway", name: "a" }],
    "spec: may have only one of selector, targetRef and targetRefs",
  ],
  [`${patch}.applyTo`, absent, missing],
  [`${patch}.patch`, absent, missing],
  [`${patch}.patch.operation`, absent, missing],
  [`${patch}.patch.value`, absent, "is missing, which INSERT_BEFORE needs"],
  [
    `${patch}.match.proxy.proxyVersion`,
    "(",
    "must be a regular expression in RE2's syntax, of a program of at most 32768 steps",
  ],
  [`${patch}.match.cluster`, { name: "a" }, "does not go with HTTP_FILTER"],
  [`${patch}.match.routeConfiguration`, { name: "a" }, "does not go with HTTP_FILTER"],
  [`${filter}.name`, absent, `${filter}: has no name`],
  [
    `${filter}.name`,
    "a",
    "must be envoy.filters.network.http_connection_manager, where filters of requests are",
  ],
  [`${filter}.subFilter.name`, absent, `${filter}.subFilter: has no name`],
  [
    `${patch}.patch.value.typed_config.@type`,
    "type.googleapis.com/envoy.Nothing",
    `${patch}.patch.value: is nothing of Envoy's: cannot decode message google.protobuf.Any from JSON: type.googleapis.com/envoy.Nothing is not in the type registry`,
  ],
  [
    `${patch}.patch.value.typed_config`,
    { "@type": "type.googleapis.com/envoy.config.filter.http.lua.v2.Lua", inline_code: "a" },
    `${patch}.patch.value: is nothing of Envoy's: cannot decode message google.protobuf.Any from JSON: type.googleapis.com/envoy.config.filter.http.lua.v2.Lua is not in the type registry`,
  ],
  [
    `${patch}.patch.value.typed_config.default_source_code`,
    1,
    `${patch}.patch.value: is nothing of Envoy's: cannot decode message envoy.config.core.v3.DataSource from JSON: 1`,
  ],
];
