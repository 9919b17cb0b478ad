/** A folder of Istio's YAML: services in ten namespaces, a file for each, and files that are written anew. */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";

/** Namespaces that services and sidecars are spread over. */
export const namespaces: readonly string[] = Array.from({ length: 10 }, (_, index) => `ns${index}`);

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
  /** A Sidecar per namespace shows that namespace only. */
  readonly isScoped?: boolean;
}

function namespaceOf(index: number): string {
  return namespaces[index % namespaces.length] ?? "";
}

function hostOf(index: number): string {
  return `svc${index}.${namespaceOf(index)}.svc.cluster.local`;
}

/** Written beside its place and moved there, as tools do. */
function writeObjects(folder: string, name: string, ...objects: readonly object[]): void {
  const beside = `${folder}.new`;
  writeFileSync(beside, objects.map((object) => stringify(object)).join("---\n"));
  renameSync(beside, join(folder, name));
}

/** A service with `marker` as the address of one more endpoint. */
export function writeService({ folder, endpoints }: MadeMesh, index: number, marker?: string): void {
  const addresses = Array.from(
    { length: endpoints },
    (_, number) => `10.${number}.${Math.floor(index / 250)}.${1 + (index % 250)}`,
  );
  const name = `svc${index}`;
  writeObjects(folder, `${name}.yaml`, {
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name, namespace: namespaceOf(index) },
    spec: {
      hosts: [hostOf(index)],
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
export function writeVirtualService({ folder }: MadeMesh, index: number, marker: string): void {
  writeObjects(folder, `route${index}.yaml`, {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: `svc${index}`, namespace: namespaceOf(index) },
    spec: {
      hosts: [hostOf(index)],
      http: [
        {
          name: marker,
          match: [{ uri: { prefix: "/v1" } }],
          route: [{ destination: { host: hostOf(index) } }],
          timeout: "3s",
        },
        { route: [{ destination: { host: hostOf(index) } }] },
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
  for (const namespace of namespaces) {
    writeObjects(mesh.folder, `sidecar-${namespace}.yaml`, {
      apiVersion: "networking.istio.io/v1",
      kind: "Sidecar",
      metadata: { name: "default", namespace },
      spec: { egress: [{ hosts: ["./*"] }] },
    });
  }
}
