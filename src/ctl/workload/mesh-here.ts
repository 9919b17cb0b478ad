/**
 * What the control plane of this machine knows: its root, the key of its tokens, its folder.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { CommandContext } from "../../command/command.ts";
import { runtimeFolderHere } from "../../config/runtime-folder.ts";
import { discoveryStateFolder } from "../../config/state-folder.ts";
import { openTokenIssuer, tokenKeyPath } from "../../controlplane/demo-tokens.ts";
import { readRegularText } from "../../files/read-regular-file.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { announcedControlPlanes } from "../../status/control-plane-announcement.ts";
import { configurationHere } from "../describe/configuration.ts";
import type { MeshSource } from "./mesh-source.ts";
import { withOverlay } from "./read-group.ts";

/** Istio's port of discovery over TLS. */
const usualPort = 15_012;

/** Where it is looked for. */
export interface MeshPlaces {
  readonly stateDir: string | undefined;
  readonly config: string | undefined;
}

/** Reads nothing before it is asked. */
export function meshHere({ stateDir: given, config }: MeshPlaces, context: CommandContext): MeshSource {
  const stateDir = discoveryStateFolder(given, context.env, existsSync);
  return {
    group: async (namespace, name) => {
      const objects = (await configurationHere(config, context)) ?? [];
      const found = objects.find(
        (object) => object.kind === "WorkloadGroup" && object.namespace === namespace && object.name === name,
      );
      if (found?.kind !== "WorkloadGroup")
        return [
          `there is no WorkloadGroup ${namespace}/${name}: write it into the folder, or name a file with -f`,
        ];
      return withOverlay(found.source, found);
    },
    root: () => {
      const path = join(stateDir, "root-cert.pem");
      try {
        return Promise.resolve(readRegularText(path));
      } catch (error) {
        throw new Error(
          `the root cannot be read: ${errorMessage(error)}. Name the control plane's --stateDir, or start it first`,
          { cause: error },
        );
      }
    },
    token: async (request) => {
      if (!existsSync(tokenKeyPath(stateDir)))
        throw new Error(
          `no control plane has kept the key of its tokens in ${stateDir}: name its --stateDir, or start it first`,
        );
      return (await openTokenIssuer(stateDir)).issue({ ...request, audience: "istio-ca" });
    },
    meshConfig: () => Promise.resolve(undefined),
    discoveryPort: () => {
      const [only, ...others] = announcedControlPlanes(runtimeFolderHere(context.env));
      return others.length === 0 ? (only?.secureGrpcPort ?? usualPort) : usualPort;
    },
  };
}
