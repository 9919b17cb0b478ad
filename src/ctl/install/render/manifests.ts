/**
 * The release's manifests for Kubernetes, as objects: what is installed is made of what operators may read in docker/kubernetes.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { readRegularText } from "../../../files/read-regular-file.ts";
import { isMapping } from "../../../document/mapping.ts";
import { textAt } from "../../../lifecycle/json-path.ts";
import { ManifestError } from "./manifest-error.ts";
import type { JsonObject } from "../../../controlplane/config/json-value.ts";

/** Files of the folder that are read, those that a release may lack last. */
const files = ["control-plane.yaml", "registry.yaml", "gateway.yaml"] as const;

/** Brings sidecar injection with it, where the release has it. */
const injectionFile = "injection.yaml";

/** Objects by the file that they are in. */
export interface Manifests {
  readonly controlPlane: readonly JsonObject[];
  readonly registry: readonly JsonObject[];
  readonly gateway: readonly JsonObject[];
  readonly injection: readonly JsonObject[];
}

/** @param folder `docker/kubernetes` of the release @throws ManifestError */
export function readManifests(folder: string): Manifests {
  const [controlPlane, registry, gateway] = files.map((name) => read(join(folder, name)));
  const injection = join(folder, injectionFile);
  return {
    controlPlane: controlPlane ?? [],
    registry: registry ?? [],
    gateway: gateway ?? [],
    injection: existsSync(injection) ? read(injection) : [],
  };
}

function read(path: string): readonly JsonObject[] {
  let text: string;
  try {
    text = readRegularText(path);
  } catch (error) {
    throw new ManifestError(`the release is not whole: ${path} cannot be read. Install it anew`, {
      cause: error,
    });
  }
  return parseAllDocuments(text).flatMap((document): readonly JsonObject[] => {
    const value: unknown = document.toJS();
    return isMapping(value) ? [value as JsonObject] : [];
  });
}

/** The object of a kind and a name. @throws ManifestError */
export function objectOf(objects: readonly JsonObject[], kind: string, name: string): JsonObject {
  const found = objects.find(
    (object) => object["kind"] === kind && textAt(object, "metadata", "name") === name,
  );
  if (found === undefined)
    throw new ManifestError(`the release's manifests have no ${kind} ${name}. Install it anew`);
  return found;
}
