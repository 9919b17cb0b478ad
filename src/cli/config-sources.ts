/**
 * Which other control planes a control plane follows.
 */
import { parseHostPort } from "../net/host-port.ts";
import { mcpScheme, type McpTarget } from "../controlplane/registry/mcp/mcp-target.ts";
import { readRegularFile } from "../files/read-regular-file.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import type { SettingValues } from "../schema/setting.ts";
import type { discoveryFlags } from "./discovery-flags.ts";

type Flags = Pick<
  SettingValues<typeof discoveryFlags>,
  | "configSources"
  | "configSourcesCaFile"
  | "configSourcesServerName"
  | "configSourcesTokenFile"
  | "configSourcesPlaintext"
>;

/** @param refuse is told what cannot be used, by its flag */
export function controlPlaneTargets(
  flags: Flags,
  refuse: (flag: keyof Flags, message: string) => void,
): readonly McpTarget[] {
  const {
    configSourcesCaFile: caFile,
    configSourcesServerName: serverName,
    configSourcesTokenFile: tokenFile,
    configSourcesPlaintext: isPlainText,
  } = flags;
  const words = flags.configSources.split(",").flatMap((word) => word.trim() || []);
  for (const word of words) {
    const address = word.slice(mcpScheme.length);
    if (!word.startsWith(mcpScheme) || parseHostPort(address) === undefined)
      refuse(
        "configSources",
        `${JSON.stringify(word)} is no control plane such as xds://istiod.istio-system.svc:15012`,
      );
  }
  if (new Set(words).size < words.length) refuse("configSources", "names a control plane twice");
  const given = {
    configSourcesCaFile: caFile,
    configSourcesServerName: serverName,
    configSourcesTokenFile: tokenFile,
  };
  for (const [flag, value] of Object.entries(given) as [keyof typeof given, string | undefined][]) {
    if (value === undefined) continue;
    if (words.length === 0)
      refuse(flag, "is for other control planes: name them by --configSources, or remove it");
    else if (isPlainText) refuse(flag, "is for TLS: remove it, or --configSourcesPlaintext");
  }
  if (isPlainText && words.length === 0)
    refuse(
      "configSourcesPlaintext",
      "is for other control planes: name them by --configSources, or remove it",
    );
  if (caFile !== undefined)
    try {
      readRegularFile(caFile);
    } catch (error) {
      refuse(
        "configSourcesCaFile",
        `${caFile} cannot be read: ${errorMessage(error)}. Name a file of certificates`,
      );
    }
  return words.map((word) => ({
    address: word.slice(mcpScheme.length),
    ...{ isPlainText, caFile, serverName, tokenFile },
  }));
}
