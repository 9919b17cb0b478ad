/**
 * Variables of the system that commands and the search for Envoy heed (XDG base directory specification, no-color.org,
 * kubectl's, and what Kubernetes sets in every pod).
 */
import { readSettings, type SettingValues, text } from "./setting.ts";

const systemVariables = {
  HOME: text("", "The user's folder."),
  PATH: text("", "Folders of programs."),
  XDG_CACHE_HOME: text("", "Folder of caches; ~/.cache unless set."),
  XDG_RUNTIME_DIR: text("", "Folder of what lasts as long as the user's session."),
  XDG_STATE_HOME: text("", "Folder of state; ~/.local/state unless set."),
  TERM: text("", "Kind of the terminal; dumb for one that only takes lines."),
  NO_COLOR: text("", "Anything keeps colours from the terminal."),
  KUBECONFIG: text("", "Files with the ways to clusters; ~/.kube/config unless set."),
  KUBERNETES_SERVICE_HOST: text("", "Address of the cluster's API; set in a pod."),
  KUBERNETES_SERVICE_PORT: text("", "Port of the cluster's API; set in a pod."),
} as const;

/** Each as it is set; empty where it is not. */
export function readSystemVariables(
  env: Readonly<Record<string, string | undefined>>,
): SettingValues<typeof systemVariables> {
  const given = (
    name: string,
  ): { readonly source: string; readonly texts: readonly string[] } | undefined => {
    const value = env[name];
    return value === undefined ? undefined : { source: name, texts: [value] };
  };
  return readSettings(systemVariables, given, () => undefined);
}
