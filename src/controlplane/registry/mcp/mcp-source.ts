/**
 * Another control plane as a source of configuration: MCP over xDS, as istiod and `outrider discovery` serve it (Istio's
 * `configSources: xds://…`). Each type of objects is a type of resources, and each answer the whole of it.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { hostname } from "node:os";
import { readRegularFile, readRegularText } from "../../../files/read-regular-file.ts";
import { GrpcChannel, type CallMetadata, type ChannelOptions } from "../../../grpc/channel.ts";
import { GrpcError } from "../../../grpc/grpc-error.ts";
import { inTurns } from "../../../lifecycle/in-turns.ts";
import { sleep } from "../../../lifecycle/sleep.ts";
import { TaskGroup } from "../../../lifecycle/task-group.ts";
import { Timer } from "../../../lifecycle/timer.ts";
import { type ReadonlyWatch, Watch } from "../../../lifecycle/watch.ts";
import {
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../../../proto/envoy/envoy/service/discovery/v3/discovery_pb.js";
import type { Logger } from "../../../telemetry/log.ts";
import { rootNamespace } from "../../config/analysis/analyze.ts";
import { mcpResourceType } from "../../config/mcp-resource.ts";
import { doubted, RegistryProgress } from "../registry-progress.ts";
import type { ConfigSource, SourceState } from "../source.ts";
import type { SourceHealth } from "../source-health.ts";
import { McpReader, mcpTypes } from "./mcp-objects.ts";
import { mcpScheme, type McpTarget } from "./mcp-target.ts";

const method = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";

/** Until every type has been answered on a new stream, in milliseconds. */
const answersWithinMs = 30_000;

/** What changes together is one state, in milliseconds. */
const quietMs = 100;

/** Follows another control plane until disposed. */
export class McpSource implements ConfigSource, AsyncDisposable {
  readonly name: string;
  readonly #target: McpTarget;
  readonly #progress: RegistryProgress;
  readonly #reader: McpReader;
  readonly #changes = new Watch(0);
  readonly #tasks = new TaskGroup();
  /** Of every type; of the stream that answers, or of the last one that did. */
  #answers: ReadonlyMap<string, readonly Uint8Array[]> = new Map();

  private constructor(target: McpTarget, log: Logger) {
    const url = `${mcpScheme}${target.address}`;
    this.name = `xds-${target.address.replace(/[^\w.]+/g, "-")}`;
    this.#target = target;
    this.#progress = new RegistryProgress({ title: "a control plane", source: url, url, log });
    this.#reader = new McpReader(url);
  }

  /** Resolves when it has said what it has, or when it is known that it does not. */
  static async open(target: McpTarget, { log }: { readonly log: Logger }): Promise<McpSource> {
    const source = new McpSource(target, log);
    const first = Promise.withResolvers<void>();
    source.#tasks.spawn("follow-control-plane", (signal) => source.#follow(first.resolve, signal));
    source.#tasks.spawn("publish-control-plane", (signal) => source.#publishChanges(signal));
    await first.promise;
    return source;
  }

  get states(): ReadonlyWatch<SourceState> {
    return this.#progress.states;
  }

  readonly health = (): SourceHealth => this.#progress.health();

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tasks[Symbol.asyncDispose]();
  }

  async #follow(told: () => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#once(told, signal);
      } catch (error) {
        if (signal.aborted) return;
        // One that is started anew, or spreads its load, is gone for a moment: that is nothing to tell, but at the start.
        const pauseMs = this.#progress.failed(error, this.#progress.hasAnswered ? 2 : 1);
        told();
        await sleep(pauseMs, signal);
      }
    }
  }

  /** One stream. @throws Error when it ends, or says nothing of some type */
  async #once(told: () => void, signal: AbortSignal): Promise<void> {
    const { address } = this.#target;
    using channel = new GrpcChannel(channelOptions(this.#target));
    const stream = channel.stream(method, metadataOf(this.#target));
    const cancel = (): void => {
      stream.cancel();
    };
    signal.addEventListener("abort", cancel, { once: true });
    const answers = new Map<string, readonly Uint8Array[]>();
    let isLate = false;
    using deadline = new Timer(answersWithinMs, () => {
      isLate = true;
      stream.cancel();
    });
    try {
      for (const typeUrl of mcpTypes) stream.enqueue(requestOf({ typeUrl }));
      for await (const message of stream) {
        const { typeUrl, versionInfo, nonce, resources } = fromBinary(DiscoveryResponseSchema, message);
        stream.enqueue(requestOf({ typeUrl, versionInfo, responseNonce: nonce }));
        if (!mcpTypes.includes(typeUrl)) continue;
        answers.set(
          typeUrl,
          resources.flatMap((each) => (each.typeUrl === mcpResourceType ? [each.value] : [])),
        );
        if (this.#answers === answers) this.#changes.set(this.#changes.current + 1);
        else if (answers.size === mcpTypes.length) {
          deadline.cancel();
          await this.#begin(answers);
          told();
        }
      }
    } catch (error) {
      if (!isLate) throw error;
    } finally {
      signal.removeEventListener("abort", cancel);
      stream.cancel();
    }
    const missing = mcpTypes.filter((type) => !answers.has(type));
    throw new GrpcError(
      isLate ? "DEADLINE_EXCEEDED" : "UNAVAILABLE",
      isLate
        ? `says nothing of ${missing.slice(0, 3).join(", ")}${missing.length > 3 ? " and more" : ""} within ${answersWithinMs / 1_000} s. Is it a control plane that serves its configuration?`
        : "has ended the stream",
      address,
    );
  }

  /** All has been told on this stream. */
  async #begin(answers: ReadonlyMap<string, readonly Uint8Array[]>): Promise<void> {
    const has = (all: typeof answers): boolean => [...all.values()].some(({ length }) => length > 0);
    const isEmptied = has(this.#answers) && !has(answers);
    if (this.#progress.isDoubted(isEmptied ? -1 : 0))
      throw new GrpcError(
        "UNAVAILABLE",
        `has begun anew and shows nothing: ${doubted}`,
        this.#target.address,
      );
    this.#progress.taken(0);
    this.#answers = answers;
    await this.#publish();
    this.#progress.answered();
  }

  async #publishChanges(signal: AbortSignal): Promise<void> {
    for await (const change of this.#changes.changes(signal)) {
      if (change === 0) continue;
      await sleep(quietMs, signal);
      if (!signal.aborted && this.#progress.failures === 0) await this.#publish();
    }
  }

  async #publish(): Promise<void> {
    const { objects, problems } = await inTurns(this.#reader.read(this.#answers));
    const { states } = this.#progress;
    const { current } = states;
    const isSame =
      current.kind === "read" &&
      current.problems.length === problems.length &&
      current.problems.every((each, at) => each === problems[at]) &&
      current.objects.length === objects.length &&
      current.objects.every((each, at) => each === objects[at]);
    if (!isSame) states.set({ kind: "read", objects, problems });
  }
}

/** Reads its files anew. @throws Error when one cannot be read */
function channelOptions({ address, isPlainText, caFile, serverName }: McpTarget): ChannelOptions {
  if (isPlainText) return { address, tls: undefined };
  const rootCertificates = caFile === undefined ? undefined : readRegularFile(caFile);
  return { address, tls: { rootCertificates, ...(serverName === undefined ? {} : { serverName }) } };
}

function metadataOf({ tokenFile }: McpTarget): CallMetadata {
  if (tokenFile === undefined) return {};
  return { authorization: `Bearer ${readRegularText(tokenFile, { maxBytes: 65_536 }).trim()}` };
}

/** As Istio's own client says who it is: `GENERATOR` asks istiod for objects rather than for what proxies are told. */
function requestOf(request: {
  readonly typeUrl: string;
  readonly versionInfo?: string;
  readonly responseNonce?: string;
}): Uint8Array {
  const node = {
    id: `sidecar~127.0.0.1~${hostname()}.${rootNamespace}~${rootNamespace}.svc.cluster.local`,
    metadata: { GENERATOR: "api", NAMESPACE: rootNamespace },
  };
  return toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, { node, ...request }));
}
