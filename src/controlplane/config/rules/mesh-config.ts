/** What spans several fields of a MeshConfig. */
import { builtInProviders } from "../extension-providers.ts";
import { badFormats, formatForm } from "../format-commands.ts";
import { parseJsonObject } from "../json-value.ts";
import type { ExtensionProviderSpec, MeshConfigSpec } from "../objects.ts";
import { providerKinds } from "../schemas/extension-providers.ts";
import { type Complaint, duplicates } from "./complaint.ts";

/** Every broken rule. */
export function meshConfig({
  extensionProviders = [],
  defaultProviders = {},
  accessLogEncoding,
  accessLogFormat = "",
}: MeshConfigSpec): readonly Complaint[] {
  const names = extensionProviders.map(({ name }) => name);
  const known = new Set([...names, ...builtInProviders.map(({ name }) => name)]);
  return [
    ...badFormats(
      accessLogEncoding === "JSON" ? (parseJsonObject(accessLogFormat) ?? {}) : accessLogFormat,
      "accessLogFormat",
    ).map((path) => [path, `must be ${formatForm}`] as const),
    ...duplicates(names, "extensionProviders", "name"),
    ...extensionProviders.flatMap((each, index) => provider(each, `extensionProviders[${index}]`)),
    ...Object.entries(defaultProviders).flatMap(([field, list = []]) =>
      list.flatMap((name, index): readonly Complaint[] =>
        known.has(name)
          ? []
          : [
              [
                `defaultProviders.${field}[${index}]`,
                `${name} is none of extensionProviders: it has no effect`,
                "warning",
              ],
            ],
      ),
    ),
  ];
}

function provider(spec: ExtensionProviderSpec, path: string): readonly Complaint[] {
  const kinds = Object.keys(providerKinds).filter((kind) => kind in spec);
  if (kinds.length !== 1) return [[path, `needs exactly one of ${Object.keys(providerKinds).join(", ")}`]];
  const { opentelemetry, zipkin } = spec;
  const headers = {
    "opentelemetry.http.headers": opentelemetry?.http?.headers,
    "opentelemetry.grpc.initialMetadata": opentelemetry?.grpc?.initialMetadata,
    "zipkin.headers": zipkin?.headers,
  };
  return [
    ...(opentelemetry?.dynatraceSampler === undefined
      ? []
      : [
          [
            `${path}.opentelemetry.dynatraceSampler`,
            "has no effect here: spans are sampled as Telemetries say",
            "warning",
          ] as const,
        ]),
    ...(opentelemetry?.http !== undefined && opentelemetry.grpc !== undefined
      ? [[`${path}.opentelemetry`, "may have only one of http and grpc"] as const]
      : []),
    ...Object.entries(headers).flatMap(([field, list = []]) =>
      list.flatMap(({ value, envName }, index): readonly Complaint[] =>
        (value === undefined) === (envName === undefined)
          ? [[`${path}.${field}[${index}]`, "needs exactly one of value and envName"]]
          : [],
      ),
    ),
  ];
}
