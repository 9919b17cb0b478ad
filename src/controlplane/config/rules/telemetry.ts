/** What spans several fields of a Telemetry. */
import type { TelemetrySpec } from "../objects.ts";
import type { Complaint } from "./complaint.ts";
import { oneWayToSelect } from "./selection.ts";

/** Every broken rule. */
export function telemetry(spec: TelemetrySpec): readonly Complaint[] {
  const { tracing = [], metrics = [] } = spec;
  return [
    ...oneWayToSelect(spec),
    ...(tracing.length > 1
      ? [
          [
            "spec.tracing",
            "has several entries: of what two of them say, the last counts",
            "warning",
          ] as const,
        ]
      : []),
    ...tracing.flatMap((entry, index) => tags(entry, `spec.tracing[${index}]`)),
    ...metrics.flatMap(({ overrides = [] }, index) =>
      overrides.flatMap((override, at) => tagOverrides(override, `spec.metrics[${index}].overrides[${at}]`)),
    ),
    ...(metrics.length > 0
      ? [
          [
            "spec.metrics",
            "has no effect here: Istio's metrics are a filter (istio.stats) that Envoy does not have",
            "warning",
          ] as const,
        ]
      : []),
  ];
}

type Tracing = NonNullable<TelemetrySpec["tracing"]>[number];

function tags(
  { providers = [], customTags = {}, disableContextPropagation }: Tracing,
  path: string,
): readonly Complaint[] {
  const kinds = Object.entries(customTags).flatMap(([name, tag]): readonly Complaint[] =>
    Object.keys(tag).length === 1
      ? []
      : [[`${path}.customTags.${name}`, "needs exactly one of literal, environment, header and formatter"]],
  );
  return [
    ...(disableContextPropagation === undefined
      ? []
      : [
          [
            `${path}.disableContextPropagation`,
            "has no effect here: Envoy passes the context of a trace on wherever it traces",
            "warning",
          ] as const,
        ]),
    ...(providers.length > 1
      ? [[`${path}.providers[1]`, "has no effect: spans go to the first provider only", "warning"] as const]
      : []),
    ...kinds,
  ];
}

type Override = NonNullable<NonNullable<TelemetrySpec["metrics"]>[number]["overrides"]>[number];

function tagOverrides({ match, tagOverrides: all = {} }: Override, path: string): readonly Complaint[] {
  const twice = match?.metric !== undefined && match.customMetric !== undefined;
  return [
    ...(twice ? [[`${path}.match`, "may have only one of metric and customMetric"] as const] : []),
    ...Object.entries(all).flatMap(([name, { operation = "UPSERT", value = "" }]): readonly Complaint[] => {
      if ((operation === "UPSERT") === (value !== "")) return [];
      const message = operation === "UPSERT" ? "is needed to UPSERT a tag" : "does not go with REMOVE";
      return [[`${path}.tagOverrides.${name}.value`, message]];
    }),
  ];
}
