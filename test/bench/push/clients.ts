/**
 * Scripted sidecars, each with a connection and an ADS stream of its own, that acknowledge everything.
 *
 *     node clients.ts ADDRESS delta|sotw COUNT [all|refusing|stalled]
 *
 * Prints `started MILLISECONDS` (since the epoch), `connected MILLISECONDS BYTES` once all of them have everything, and `seen
 * MARKER MILLISECONDS BYTES` once every one has acknowledged a response that holds the marker of `mesh.ts`.
 */
import { create, toBinary } from "@bufbuild/protobuf";
import { type ByteStream, GrpcChannel } from "../../../src/grpc/channel.ts";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "../../../src/proto/envoy/envoy/service/discovery/v3/discovery_pb.js";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { markerIn, namespaces } from "./mesh.ts";
import { readResponse } from "./messages.ts";

const [address = "", protocol = "", count = "0", behaviour = "all"] = process.argv.slice(2);
const isDelta = protocol === "delta";
const method = isDelta ? "DeltaAggregatedResources" : "StreamAggregatedResources";
/** How many have each marker. */
const seen = new Map<string, number>();
const now = (): number => performance.timeOrigin + performance.now();
let complete = 0;
let received = 0;

interface Asked {
  readonly type: string;
  readonly nonce?: string;
  readonly names?: readonly string[];
}

class Sidecar {
  readonly #node: { id: string; metadata: Record<string, string> };
  readonly #stream: ByteStream;
  readonly #names = new Map<string, readonly string[]>();
  readonly #has = new Set<string>();
  readonly #markers = new Set<string>();
  readonly #stalls: boolean;

  constructor(index: number) {
    const namespace = namespaces[index % namespaces.length] ?? "";
    const ip = `10.200.${Math.floor(index / 250)}.${1 + (index % 250)}`;
    this.#node = {
      id: `sidecar~${ip}~client${index}.${namespace}~${namespace}.svc.cluster.local`,
      // istiod gives older proxies less, and looks for endpoints by cluster.
      metadata: { NAMESPACE: namespace, CLUSTER_ID: "Kubernetes", ISTIO_VERSION: "1.30.0" },
    };
    this.#stalls = behaviour === "stalled" && index % 2 === 1;
    this.#stream = new GrpcChannel({ address, tls: undefined }).stream(
      `/envoy.service.discovery.v3.AggregatedDiscoveryService/${method}`,
      {},
    );
  }

  async run(): Promise<void> {
    this.#ask({ type: typeUrl.cluster });
    if (this.#stalls) {
      this.#ask({ type: typeUrl.listener });
      // Nothing is read any more.
      await new Promise(() => undefined);
    }
    for await (const message of this.#stream) this.#take(message);
  }

  #take(message: Buffer): void {
    received += message.length;
    const isNew = (type: string): boolean => type === typeUrl.cluster && !this.#has.has(type);
    const { typeUrl: type, nonce, names } = readResponse(isDelta ? "delta" : "sotw", message, isNew);
    const first = !this.#has.has(type);
    this.#has.add(type);
    this.#ask({ type, nonce });
    if (first && type === typeUrl.cluster) {
      const outbound = names.filter((name) => name.startsWith("outbound|"));
      this.#ask({ type: typeUrl.endpoint, names: outbound });
      this.#ask({ type: typeUrl.listener });
    }
    if (first && type === typeUrl.listener) this.#ask({ type: typeUrl.route, names: ["80"] });
    if (first && type === typeUrl.route) {
      complete += 1;
      if (complete === expected) {
        console.log(`connected ${now()} ${received}`);
        received = 0;
      }
    }
    const marker = markerIn(message);
    if (marker === undefined || this.#markers.has(marker)) return;
    this.#markers.add(marker);
    const times = (seen.get(marker) ?? 0) + 1;
    seen.set(marker, times);
    if (times < expected) return;
    console.log(`seen ${marker} ${now()} ${received}`);
    received = 0;
  }

  #ask({ type, nonce = "", names = [] }: Asked): void {
    if (names.length > 0) this.#names.set(type, names);
    const error =
      nonce !== "" && behaviour === "refusing" ? { errorDetail: { message: "refused by the bench" } } : {};
    const head = { typeUrl: type, ...(nonce === "" ? { node: this.#node } : {}), responseNonce: nonce };
    this.#stream.enqueue(
      isDelta
        ? toBinary(
            DeltaDiscoveryRequestSchema,
            create(DeltaDiscoveryRequestSchema, { ...head, ...error, resourceNamesSubscribe: [...names] }),
          )
        : toBinary(
            DiscoveryRequestSchema,
            create(DiscoveryRequestSchema, {
              ...head,
              ...error,
              resourceNames: [...(this.#names.get(type) ?? [])],
            }),
          ),
    );
  }
}

const sidecars = Array.from({ length: Number(count) }, (_, index) => new Sidecar(index));
const expected = behaviour === "stalled" ? Math.ceil(sidecars.length / 2) : sidecars.length;
console.log(`started ${now()}`);
for (const sidecar of sidecars) {
  sidecar.run().catch((error: unknown) => {
    console.log(`failed ${String(error)}`);
  });
}
