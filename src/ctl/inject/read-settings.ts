/** The settings of injection that files hold: MeshConfig and the values of the installation. */
import { version } from "../../command/version.ts";
import { readProxyConfig } from "../../config/proxy-config/injected.ts";
import { injectionMesh } from "../../controlplane/inject/mesh.ts";
import type { Fields } from "../../controlplane/inject/pod.ts";
import { type InjectionSettings, readInjectionSettings } from "../../controlplane/inject/settings.ts";
import { configurationLimits } from "../../document/limits.ts";
import { isMapping } from "../../document/mapping.ts";
import { readYaml } from "../../document/yaml.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { textAt } from "../../lifecycle/json-path.ts";

/** Paths; undefined for what is not given. */
export interface SettingsFiles {
  readonly meshConfigFile: string | undefined;
  readonly valuesFile: string | undefined;
  readonly revision: string | undefined;
}

/** The settings, and a line for each thing that is wrong with them. */
export async function readSettingsFiles(
  { meshConfigFile, valuesFile, revision }: SettingsFiles,
  read: (path: string) => Promise<string>,
): Promise<{ readonly settings: InjectionSettings; readonly lines: readonly string[] }> {
  const lines: string[] = [];
  const fieldsOf = async (path: string | undefined, key: string): Promise<Fields> => {
    if (path === undefined) return {};
    try {
      const outcome = fieldsIn(await read(path), key);
      if (isMapping(outcome)) return outcome;
      lines.push(...outcome.map((line) => `${path}: ${line}`));
    } catch (error) {
      lines.push(`${path} cannot be read: ${errorMessage(error)}`);
    }
    return {};
  };
  const mesh = await fieldsOf(meshConfigFile, "mesh");
  const values = await fieldsOf(valuesFile, "values");
  const { settings, problems } = readInjectionSettings({
    values: {
      ...values,
      ...(revision === undefined ? {} : { revision: revision === "default" ? "" : revision }),
    },
    mesh: injectionMesh(mesh),
    release: version,
    readProxyConfig,
  });
  const sourceOf = (path: string): string =>
    (path.startsWith("metadata.") || path.startsWith("defaultConfig") ? meshConfigFile : valuesFile) ??
    "settings";
  lines.push(...problems.map(({ path, message }) => `${sourceOf(path)}: ${path}: ${message}`));
  return { settings, lines };
}

/** A document, or that of a ConfigMap; the lines of what is wrong with it otherwise. */
function fieldsIn(text: string, key: string): Fields | readonly string[] {
  const document = readYaml(text, configurationLimits);
  if (document.kind === "refused")
    return document.faults.map(({ line, message }) =>
      line === undefined ? message : `line ${line}: ${message}`,
    );
  const { value } = document;
  if (value === null) return {};
  if (!isMapping(value)) return ["must be a mapping of fields"];
  const held = value["kind"] === "ConfigMap" ? textAt(value, "data", key) : undefined;
  return held === undefined ? value : fieldsIn(held, key);
}
