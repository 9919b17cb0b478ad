/** The control plane's streams over models that no folder could have: what validation refuses is pushed all the same. */
import { join } from "node:path";
import type { ConfigObject } from "../../src/controlplane/config/objects.ts";
import { parseDocuments } from "../../src/controlplane/config/parse-documents.ts";
import { buildModel } from "../../src/controlplane/model/build-model.ts";
import type { PublishedModel } from "../../src/controlplane/model/configured-models.ts";
import { makersOf } from "../../src/controlplane/networking/makers.ts";
import { decodedOf } from "../../src/controlplane/networking/pushed-types.ts";
import { serveConnection } from "../../src/controlplane/push/connection.ts";
import { LastGoodResources } from "../../src/controlplane/push/last-good.ts";
import { PushMetrics } from "../../src/controlplane/push/metrics.ts";
import { deltaProtocol, sotwProtocol } from "../../src/controlplane/push/protocol.ts";
import { ServedModels } from "../../src/controlplane/push/served-models.ts";
import { McpPages } from "../../src/controlplane/mcp-pages.ts";
import { ConnectionTable } from "../../src/controlplane/push/status.ts";
import { ToldFaults } from "../../src/controlplane/push/told-faults.ts";
import { ToldRefusals } from "../../src/controlplane/push/told-refusals.ts";
import { Translations } from "../../src/controlplane/push/translations.ts";
import { GrpcServer } from "../../src/grpc/server.ts";
import { Watch } from "../../src/lifecycle/watch.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { adsBootstrap } from "./envoy-config.ts";
import { PlainEnvoy } from "./plain-envoy.ts";
import { RegisteredMachines } from "../../src/controlplane/registry/auto-registration/registered-machines.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { testLog } from "./test-log.ts";

const settings = { trustDomains: ["cluster.local"], rootNamespace: "istio-system" };

/** What of a mesh is to be other than its text says. */
export type Damage = (objects: ConfigObject[]) => void;

/** A control plane in plain text, and Envoys without agents. */
export class PushedMesh implements AsyncDisposable {
  readonly connections: ConnectionTable;
  readonly lines: readonly string[];
  readonly metrics: Metrics;
  readonly #models: Watch<PublishedModel>;
  readonly #objects: { current: readonly ConfigObject[] };
  readonly #port: number;
  readonly #folder: string;
  readonly #stack: AsyncDisposableStack;
  #envoys = 0;

  private constructor(
    parts: Pick<PushedMesh, "connections" | "lines" | "metrics"> & {
      readonly models: Watch<PublishedModel>;
      readonly objects: { current: readonly ConfigObject[] };
      readonly port: number;
      readonly folder: string;
    },
    stack: AsyncDisposableStack,
  ) {
    ({ connections: this.connections, lines: this.lines, metrics: this.metrics } = parts);
    this.#models = parts.models;
    this.#objects = parts.objects;
    this.#port = parts.port;
    this.#folder = parts.folder;
    this.#stack = stack;
  }

  static async start(yaml: string): Promise<PushedMesh> {
    await using stack = new AsyncDisposableStack();
    const objects = { current: objectsOf(yaml) };
    const models = new Watch<PublishedModel>({ number: 1, model: buildModel(objects.current, settings) });
    const { log, lines } = testLog();
    const connections = new ConnectionTable();
    const metrics = new Metrics("pilot_");
    const pushMetrics = new PushMetrics(metrics, connections);
    const served = stack.use(new ServedModels(models, log));
    const folder = stack.use(temporaryFolder()).path;
    const machines = stack.use(
      new RegisteredMachines(
        { graceMs: 10_000, debounceMs: 10, file: join(folder, "machines.json") },
        { log, metrics },
      ),
    );
    const context = {
      ...{ served, connections, metrics: pushMetrics, machines, log },
      release: { passed: () => undefined },
      translations: new Translations(served.models, new ToldFaults(log, pushMetrics.internalErrors)),
      refusals: new ToldRefusals(log, (typeUrl, { resource, reason }) =>
        makersOf(objects.current, {
          ...{ name: resource.name, reason },
          json: decodedOf(typeUrl, resource.bytes),
        }),
      ),
      lastGood: new LastGoodResources(),
      sources: () => [],
      objectPages: new McpPages(new Watch({ objects: objects.current }), log),
      peer: { identity: undefined, address: "127.0.0.1" },
      policy: { binding: "identity", trustsAddresses: false },
      rootNamespace: settings.rootNamespace,
      identity: { id: "test", version: "test" },
    } as const;
    const server = stack.use(
      await GrpcServer.listen({ host: "127.0.0.1", port: 0 }, [
        {
          name: "envoy.service.discovery.v3.AggregatedDiscoveryService",
          streams: {
            DeltaAggregatedResources: (stream, { signal }) =>
              serveConnection(deltaProtocol, stream, context, signal),
            StreamAggregatedResources: (stream, { signal }) =>
              serveConnection(sotwProtocol, stream, context, signal),
          },
        },
      ]),
    );
    return new PushedMesh(
      { connections, lines, metrics, models, objects, port: server.port, folder },
      stack.move(),
    );
  }

  /** Another state of the mesh. @param damage done to what has been validated */
  push(yaml: string, damage: Damage = () => undefined): void {
    const objects = structuredClone(objectsOf(yaml)) as ConfigObject[];
    damage(objects);
    this.#objects.current = objects;
    this.#models.set({ number: this.#models.current.number + 1, model: buildModel(objects, settings) });
  }

  /** An Envoy of that node. */
  async envoy(
    node: { readonly id: string; readonly metadata: object },
    protocol: "GRPC" | "DELTA_GRPC",
  ): Promise<PlainEnvoy> {
    this.#envoys += 1;
    const folder = join(this.#folder, String(this.#envoys));
    return this.#stack.use(
      await PlainEnvoy.start({
        folder,
        adminPath: join(folder, "admin"),
        bootstrap: adsBootstrap(node, this.#port, protocol),
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

function objectsOf(yaml: string): readonly ConfigObject[] {
  const { objects, problems } = parseDocuments("mesh.yaml", yaml);
  const errors = problems.filter(({ severity }) => severity === undefined);
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  return objects;
}
