/**
 * Scripted sidecars, each with a connection and an ADS stream of its own, that acknowledge everything.
 *
 *     node clients.ts ADDRESS delta|sotw COUNT [all|refusing|stalled|mixed] [NAMESPACES] [scoped]
 *
 * `stalled` has every other one read nothing, `mixed` has every other one of the rest refuse everything as well. With `scoped`
 * a change is seen in the namespace of its service only.
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
import { GrpcError } from "../../../src/grpc/grpc-error.ts";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { changedService, kindOf, markerIn, namespaceOf, usualNamespaces } from "./mesh.ts";
import { readResponse } from "./messages.ts";

const [address = "", protocol = "", count = "0", behaviour = "all", spread, scope] = process.argv.slice(2);
const namespaces = Number(spread ?? usualNamespaces);
const isDelta = protocol === "delta";
const method = isDelta ? "DeltaAggregatedResources" : "StreamAggregatedResources";
const halfStalls = behaviour === "stalled" || behaviour === "mixed";
/** How many have each marker. */
const seen = new Map<string, number>();
/** Between two attempts to connect, in milliseconds. */
const againMs = 500;
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
  #stream: ByteStream | undefined;
  readonly #names = new Map<string, readonly string[]>();
  readonly #has = new Set<string>();
  readonly #markers = new Set<string>();
  readonly #stalls: boolean;
  readonly #refuses: boolean;

  constructor(index: number) {
    const namespace = namespaceOf(index, namespaces);
    const ip = `10.200.${Math.floor(index / 250)}.${1 + (index % 250)}`;
    this.#node = {
      id: `sidecar~${ip}~client${index}.${namespace}~${namespace}.svc.cluster.local`,
      // istiod gives older proxies less, and looks for endpoints by cluster.
      metadata: { NAMESPACE: namespace, CLUSTER_ID: "Kubernetes", ISTIO_VERSION: "1.30.0" },
    };
    this.#stalls = halfStalls && index % 2 === 1;
    this.#refuses = behaviour === "refusing" || (behaviour === "mixed" && index % 4 === 2);
  }

  /** A control plane may refuse streams when many come at once (istiod's rate limit): then it is asked again, as by an agent. */
  async run(): Promise<void> {
    for (;;) {
      try {
        await this.#connect();
      } catch (error) {
        if (!(error instanceof GrpcError) || error.code !== "RESOURCE_EXHAUSTED" || this.#has.size > 0)
          throw error;
      }
      await sleep(againMs);
    }
  }

  async #connect(): Promise<void> {
    this.#stream = new GrpcChannel({ address, tls: undefined }).stream(
      `/envoy.service.discovery.v3.AggregatedDiscoveryService/${method}`,
      {},
    );
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
    if (times < expectedOf(marker)) return;
    console.log(`seen ${marker} ${now()} ${received}`);
    received = 0;
  }

  #ask({ type, nonce = "", names = [] }: Asked): void {
    if (names.length > 0) this.#names.set(type, names);
    const error = nonce !== "" && this.#refuses ? { errorDetail: { message: "refused by the bench" } } : {};
    const head = { typeUrl: type, ...(nonce === "" ? { node: this.#node } : {}), responseNonce: nonce };
    this.#stream?.enqueue(
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
const reading = sidecars.map((_, index) => index).filter((index) => !halfStalls || index % 2 === 0);
const expected = reading.length;

/** How many are told of the change. */
function expectedOf(marker: string): number {
  const there = namespaceOf(changedService[kindOf(marker)], namespaces);
  return scope === "scoped"
    ? reading.filter((index) => namespaceOf(index, namespaces) === there).length
    : expected;
}

console.log(`started ${now()}`);
for (const sidecar of sidecars) {
  sidecar.run().catch((error: unknown) => {
    console.log(`failed ${String(error)}`);
  });
}
