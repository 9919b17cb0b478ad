/** The extension providers of a mesh by their names. */
import type { ExtensionProviderSpec, MeshConfigSpec } from "./objects.ts";

/** Those of every mesh, as in Istio; one of the same name in MeshConfig takes the place of each. */
export const builtInProviders: readonly ExtensionProviderSpec[] = [
  { name: "prometheus", prometheus: {} },
  { name: "stackdriver", stackdriver: {} },
  { name: "envoy", envoyFileAccessLog: { path: "/dev/stdout" } },
];

/** The provider of a name; undefined where the mesh has none. */
export function extensionProvider(
  { extensionProviders = [] }: Pick<MeshConfigSpec, "extensionProviders">,
  name: string,
): ExtensionProviderSpec | undefined {
  return [...extensionProviders, ...builtInProviders].find((each) => each.name === name);
}
