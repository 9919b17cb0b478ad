/** A folder of Istio's YAML: services spread over namespaces, a file for each, and files that are written anew. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";

/** Namespaces that services and sidecars are spread over, unless told. */
export const usualNamespaces = 10;

/** The namespace of a service or of a sidecar. */
export function namespaceOf(index: number, namespaces: number): string {
  return `ns${index % namespaces}`;
}

/** Which service each kind of change is of. */
export const changedService = { address: 7, route: 3 } as const;

/** What kind of change a marker stands for. */
export function kindOf(marker: string): keyof typeof changedService {
  return marker.startsWith("marker-") ? "route" : "address";
}

/** What stands for a change, as an endpoint's address and as a route's name. */
export const markers = {
  address: (change: number): string => `10.250.${Math.floor(change / 250)}.${1 + (change % 250)}`,
  route: (change: number): string => `marker-${change}`,
};

/** The marker that is in a message, of which there is one at most. */
export function markerIn(message: Buffer): string | undefined {
  const at = ["10.250.", "marker-"].map((prefix) => message.indexOf(prefix)).find((index) => index >= 0);
  if (at === undefined) return undefined;
  return /^[a-z0-9.-]+/.exec(message.toString("latin1", at, at + 32))?.[0];
}

export interface MadeMesh {
  readonly folder: string;
  readonly services: number;
  readonly endpoints: number;
  readonly namespaces?: number;
  /** A Sidecar per namespace shows that namespace only. */
  readonly isScoped?: boolean;
}

function hostOf(index: number, namespace: string): string {
  return `svc${index}.${namespace}.svc.cluster.local`;
}

/** Written beside its place and moved there, as tools do. */
function writeObjects(folder: string, name: string, ...objects: readonly object[]): void {
  const beside = `${folder}.new`;
  writeFileSync(beside, objects.map((object) => stringify(object)).join("---\n"));
  renameSync(beside, join(folder, name));
}

/** A service with `marker` as the address of one more endpoint. */
export function writeService(
  { folder, endpoints, namespaces = usualNamespaces }: MadeMesh,
  index: number,
  marker?: string,
): void {
  const namespace = namespaceOf(index, namespaces);
  const addresses = Array.from(
    { length: endpoints },
    (_, number) => `10.${number}.${Math.floor(index / 250)}.${1 + (index % 250)}`,
  );
  const name = `svc${index}`;
  writeObjects(folder, `${name}.yaml`, {
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name, namespace },
    spec: {
      hosts: [hostOf(index, namespace)],
      addresses: [`10.96.${Math.floor(index / 250)}.${1 + (index % 250)}`],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      ports: [{ number: 80, name: "http", protocol: "HTTP", targetPort: 8080 }],
      endpoints: [...addresses, ...(marker === undefined ? [] : [marker])].map((address) => ({
        address,
        labels: { app: name, version: "v1" },
        serviceAccount: name,
        locality: "eu/a/1",
      })),
    },
  });
}

/** A VirtualService for a service, one of whose routes has `marker` as its name. */
export function writeVirtualService(
  { folder, namespaces = usualNamespaces }: MadeMesh,
  index: number,
  marker: string,
): void {
  const namespace = namespaceOf(index, namespaces);
  const host = hostOf(index, namespace);
  writeObjects(folder, `route${index}.yaml`, {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: `svc${index}`, namespace },
    spec: {
      hosts: [host],
      http: [
        {
          name: marker,
          match: [{ uri: { prefix: "/v1" } }],
          route: [{ destination: { host } }],
          timeout: "3s",
        },
        { route: [{ destination: { host } }] },
      ],
    },
  });
}

/** Write all of it. */
export function writeMesh(mesh: MadeMesh): void {
  mkdirSync(mesh.folder, { recursive: true });
  for (let index = 0; index < mesh.services; index += 1) writeService(mesh, index);
  for (let index = 0; index < 10; index += 1) writeVirtualService(mesh, index, "first");
  if (mesh.isScoped !== true) return;
  const { namespaces = usualNamespaces } = mesh;
  for (let index = 0; index < namespaces; index += 1) {
    const namespace = namespaceOf(index, namespaces);
    writeObjects(mesh.folder, `sidecar-${namespace}.yaml`, {
      apiVersion: "networking.istio.io/v1",
      kind: "Sidecar",
      metadata: { name: "default", namespace },
      spec: { egress: [{ hosts: ["./*"] }] },
    });
  }
}
