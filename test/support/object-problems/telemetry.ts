/** What can be wrong with a Telemetry. */
import { label, type ProblemRow } from "./words.ts";

const noMetrics =
  "spec.metrics: has no effect here: Istio's metrics are a filter (istio.stats) that Envoy does not have";

export const telemetryProblems: readonly ProblemRow[] = [
  ["apiVersion", "networking.istio.io/v1", "must be telemetry.istio.io/v1 for a Telemetry"],
  ["spec.selector.matchLabels.app", 1, label],
  [
    "spec.targetRef",
    { kind: "Gateway", name: "a" },
    "spec: may have only one of selector, targetRef and targetRefs",
    "spec.targetRef.kind: has no effect here: only Gateways of gateway.networking.k8s.io can be named",
  ],
  ["spec.accessLogging[0].providers[0].name", "", "must be the name of an extension provider"],
  [
    "spec.accessLogging[0].match",
    { mode: "BOTH" },
    "spec.accessLogging[0].match.mode: must be one of CLIENT_AND_SERVER, CLIENT, SERVER",
  ],
  ["spec.accessLogging[0].disabled", "yes", "must be true or false"],
  ...["response.code >=", "a b", "", "'a"].map((expression): ProblemRow => [
    "spec.accessLogging[0].filter.expression",
    expression,
    "must be an expression in CEL that Envoy can compile: of its functions, without loops, nested at most 16 deep, with regular expressions in RE2's syntax of at most 96 steps",
  ]),
  ["spec.tracing[0].randomSamplingPercentage", 101, "must be a number from 0 to 100"],
  ["spec.tracing[0].randomSamplingPercentage", -1, "must be a number from 0 to 100"],
  ["spec.tracing[0].customTags.a", {}, "needs exactly one of literal, environment, header and formatter"],
  [
    "spec.tracing[0].customTags.a",
    { literal: { value: "" } },
    "spec.tracing[0].customTags.a.literal.value: must be text",
  ],
  [
    "spec.tracing[0].customTags.a",
    { header: { name: "" } },
    "spec.tracing[0].customTags.a.header.name: must be the name of a header",
  ],
  [
    "spec.tracing[0].customTags.a",
    { environment: {} },
    "spec.tracing[0].customTags.a.environment.name: is missing",
  ],
  [
    "spec.metrics",
    [{ overrides: [{ tagOverrides: { a: { operation: "REMOVE", value: "b" } } }] }],
    "spec.metrics[0].overrides[0].tagOverrides.a.value: does not go with REMOVE",
    noMetrics,
  ],
  [
    "spec.metrics",
    [{ overrides: [{ tagOverrides: { a: {} } }] }],
    "spec.metrics[0].overrides[0].tagOverrides.a.value: is needed to UPSERT a tag",
    noMetrics,
  ],
];
