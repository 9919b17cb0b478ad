/**
 * The mesh's root in every namespace: the ConfigMap `istio-ca-root-cert` that agents and injected pods mount (as istiod writes
 * it). What somebody else made of it is made right again.
 */
import type { ReadonlyWatch } from "../../lifecycle/watch.ts";
import type { ApiRequest } from "../kubernetes/api.ts";
import { eachChange, keepObjects } from "../kubernetes/keep-objects.ts";
import type { ObjectWriterOptions, WantedWrite } from "../kubernetes/object-writer.ts";
import { Reflector } from "../kubernetes/reflector.ts";
import { mappingOf, type Resource, textOf, textsOf } from "../kubernetes/resource.ts";

/** Its name and its key. */
const mapName = "istio-ca-root-cert";
const key = "root-cert.pem";

/** Whose ConfigMaps it is, for whoever looks. */
const labels = { "istio.io/config": "true" };

/** Namespaces of Kubernetes' own, where nothing of the mesh runs (as in Istio). */
const passedOver = ["kube-system", "kube-public", "kube-node-lease", "local-path-storage"];

interface Namespace {
  readonly name: string;
  readonly isTerminating: boolean;
}

interface RootMap {
  readonly pem: string;
}

const namespaces: Resource<Namespace> = {
  plural: "namespaces",
  group: "",
  versions: ["v1"],
  keep: ({ status }, { name }) => ({ name, isTerminating: mappingOf(status)["phase"] === "Terminating" }),
};

const maps: Resource<RootMap> = {
  plural: "configmaps",
  group: "",
  versions: ["v1"],
  fieldSelector: `metadata.name=${mapName}`,
  keep: ({ data }) => ({ pem: textOf(textsOf(data)[key]) }),
};

/** Which root. */
export interface RootKeeping {
  /** PEM, as it is now. */
  readonly root: ReadonlyWatch<string>;
}

/** Write it where it is missing or another one, until `signal` aborts. */
export function keepRootConfigMaps(
  { root, ...writing }: RootKeeping & Omit<ObjectWriterOptions, "what">,
  signal: AbortSignal,
): Promise<void> {
  return keepObjects(
    { ...writing, what: "root" },
    (onChange) => {
      const { api } = writing;
      const known = new Reflector(namespaces, api, onChange);
      const written = new Reflector(maps, api, onChange);
      function* due(): Generator<WantedWrite> {
        if (!known.isListed || !written.isListed) return;
        for (const { name, isTerminating } of known.values()) {
          if (isTerminating || passedOver.includes(name)) continue;
          const map = written.get(`${name}/${mapName}`);
          if (map?.pem === root.current) continue;
          const request = requestOf(name, map !== undefined, root.current);
          yield { object: `ConfigMap ${name}/${mapName}`, wish: root.current, request };
        }
      }
      const followed = [
        (stop: AbortSignal) => known.run(stop),
        (stop: AbortSignal) => written.run(stop),
        eachChange(root, onChange),
      ];
      return { followed, due };
    },
    signal,
  );
}

function requestOf(namespace: string, isThere: boolean, pem: string): ApiRequest {
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  const data = { [key]: pem };
  if (isThere) {
    const contentType = "application/merge-patch+json";
    return { method: "PATCH", path: `${path}/${mapName}`, contentType, body: { data } };
  }
  const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: mapName, namespace, labels }, data };
  return { method: "POST", path, body };
}
