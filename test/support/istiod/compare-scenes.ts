/** The scenes of `golden/translate`, as a real istiod translates them and as we do. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import type { NodeFacts } from "../../../src/controlplane/model/proxy.ts";
import { errorMessage } from "../../../src/lifecycle/error-message.ts";
import { eventually } from "../eventually.ts";
import { goldenFolder } from "../golden.ts";
import { translated } from "../translated.ts";
import { type Difference, differences } from "./compare.ts";
import { decodeResource } from "./decode.ts";
import { fetchResources, type Json, type Resources } from "./fetch-resources.ts";
import type { Istiod } from "./istiod.ts";

/** One scene: what differs, or why it cannot be compared. */
export interface ComparedScene {
  readonly name: string;
  readonly found: readonly Difference[] | string;
}

const folder = join(goldenFolder, "translate");

/** A scene that istiod does not read is left after this, in milliseconds; it reads others within a second. */
const readMs = 60_000;

/** Names of all scenes. */
export function sceneNames(): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => basename(name, ".yaml"));
}

/** A proxy of a namespace of its own, whose services say which scene istiod has read. */
const watcher: NodeFacts = {
  id: "sidecar~10.255.255.1~watcher-1.watcher~watcher.svc.cluster.local",
  metadata: { NAMESPACE: "watcher" },
};
const watcherSidecar = {
  apiVersion: "networking.istio.io/v1",
  kind: "Sidecar",
  metadata: { name: "default", namespace: "watcher" },
  spec: { egress: [{ hosts: ["./*"] }] },
};

/** @param istiod has nothing but this scene afterwards */
export async function compareScene(istiod: Istiod, name: string): Promise<ComparedScene> {
  const [first = "", ...others] = readFileSync(join(folder, `${name}.yaml`), "utf8").split(/^---$/m);
  const { proxy } = parse(first) as { readonly proxy: NodeFacts };
  const objects = parseAllDocuments(others.join("---")).map((document) => document.toJS() as object);
  if (objects.some(isOfGatewayApi))
    return { name, found: "istiod reads the Gateway API from a cluster only" };
  istiod.write("scene.yaml", ...objects);
  istiod.write("watcher.yaml", watcherSidecar, markerOf(name));
  try {
    await eventually("istiod has read the scene", () => expectMarker(istiod, name), { withinMs: readMs });
    return { name, found: differences(ours(name), await fetchResources(istiod.ports.plain, proxy)) };
  } catch (error) {
    return { name, found: errorMessage(error) };
  }
}

/** istiod's controller for these does not run beside a folder, and the program ends on some of them. */
function isOfGatewayApi(object: object): boolean {
  return "apiVersion" in object && String(object.apiVersion).startsWith("gateway.networking.k8s.io/");
}

function markerHost(name: string): string {
  return `${name}.example.com`;
}

/** Written after the scene: where this is read, the scene is. */
function markerOf(name: string): object {
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name: "marker", namespace: "watcher" },
    spec: {
      ...{ hosts: [markerHost(name)], exportTo: ["."], location: "MESH_EXTERNAL", resolution: "NONE" },
      ports: [{ number: 80, name: "http", protocol: "HTTP" }],
    },
  };
}

async function expectMarker({ ports }: Istiod, name: string): Promise<void> {
  const { clusters } = await fetchResources(ports.plain, watcher);
  if (!clusters.some((cluster) => String(cluster["name"]).endsWith(`|${markerHost(name)}`)))
    throw new Error(clusters.map((cluster) => cluster["name"]).join(" "));
}

function ours(name: string): Resources {
  const { resources } = translated(name);
  const of = (kind: string): readonly Json[] =>
    resources.flatMap(([type, list]) =>
      type.kind === kind
        ? list.map(({ json }) => decodeResource({ typeUrl: type.typeUrl, value: type.encode(json) }))
        : [],
    );
  return {
    clusters: of("cluster"),
    endpoints: of("endpoint"),
    extensions: of("extension"),
    listeners: of("listener"),
    routes: of("route"),
  };
}
