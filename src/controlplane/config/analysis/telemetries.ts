/** Telemetries that have no effect beside others, and providers that they name in vain. */
import { extensionProvider } from "../extension-providers.ts";
import type { ConfigObject, ExtensionProviderSpec, MeshConfigSpec } from "../objects.ts";
import type { ConfigProblem } from "../problem.ts";
import { warningAt } from "./warning.ts";

type Telemetry = Extract<ConfigObject, { kind: "Telemetry" }>;
type MeshConfig = Extract<ConfigObject, { kind: "MeshConfig" }>;

/** Kinds of providers that take spans, and those that take logs. */
const takes = {
  tracing: ["zipkin", "datadog", "skywalking", "opentelemetry"],
  accessLogging: ["envoyFileAccessLog", "envoyHttpAls", "envoyTcpAls", "envoyOtelAls"],
} as const satisfies Readonly<Record<string, readonly (keyof ExtensionProviderSpec)[]>>;

const taken = { tracing: "spans", accessLogging: "logs" } as const;

/** @param whyNoService says why nothing is known of a service that a provider names */
export function telemetryWarnings(
  telemetries: readonly Telemetry[],
  mesh: MeshConfig | undefined,
  whyNoService: (name: string) => string | undefined,
): readonly ConfigProblem[] {
  return [
    ...telemetries.flatMap((telemetry) => namedInVain(telemetry, mesh?.spec ?? {})),
    ...(mesh === undefined ? [] : withoutService(mesh, whyNoService)),
  ];
}

function namedInVain(telemetry: Telemetry, mesh: MeshConfigSpec): readonly ConfigProblem[] {
  return (["tracing", "accessLogging"] as const).flatMap((field) =>
    (telemetry.spec[field] ?? []).flatMap(({ providers = [] }, index) =>
      providers.flatMap(({ name }, at): readonly ConfigProblem[] => {
        const path = `spec.${field}[${index}].providers[${at}].name`;
        const provider = extensionProvider(mesh, name);
        if (provider === undefined)
          return [
            warningAt(
              telemetry,
              path,
              `${name} is no extension provider of the mesh: nothing is told to it`,
              "IST0101",
            ),
          ];
        if (takes[field].some((kind) => kind in provider)) return [];
        return [
          warningAt(telemetry, path, `${name} takes no ${taken[field]}: nothing is told to it`, "IST0157"),
        ];
      }),
    ),
  );
}

function withoutService(
  mesh: MeshConfig,
  whyNoService: (name: string) => string | undefined,
): readonly ConfigProblem[] {
  return (mesh.spec.extensionProviders ?? []).flatMap((provider, index) =>
    Object.entries(provider).flatMap(([kind, value]): readonly ConfigProblem[] => {
      if (typeof value !== "object" || !("service" in value)) return [];
      const why = whyNoService(value.service);
      if (why === undefined) return [];
      const path = `extensionProviders[${index}].${kind}.service`;
      return [warningAt(mesh, path, `${why}: the provider is left out`)];
    }),
  );
}
