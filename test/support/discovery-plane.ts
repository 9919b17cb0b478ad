/** A control plane in this process, and streams to it. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, fromBinary, type JsonObject, toBinary } from "@bufbuild/protobuf";
import type { TokenIssuer } from "../../src/controlplane/demo-tokens.ts";
import { type DiscoveryOptions, DiscoveryServer } from "../../src/controlplane/discovery-server.ts";
import { type ByteStream, GrpcChannel } from "../../src/grpc/channel.ts";
import {
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from "../../src/proto/envoy/envoy/service/discovery/v3/discovery_pb.js";
import { discoveryOptions } from "./discovery-options.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { type TestLog, testLog } from "./test-log.ts";

const hour = 3_600_000;

type Tokens = (serviceAccount: string, namespace: string) => Promise<string>;

const tokensOf =
  (issuer: TokenIssuer): Tokens =>
  (serviceAccount, namespace) =>
    issuer.issue({ namespace, serviceAccount, audience: "istio-ca", lifetimeMs: hour });

/** Node of a request. */
export interface TestNode {
  readonly id: string;
  readonly metadata?: JsonObject;
}

/** A stream, state of the world. */
export interface TestStream {
  send(request: {
    readonly typeUrl: string;
    readonly nonce?: string;
    readonly error?: string;
    readonly names?: readonly string[];
  }): void;
  /** As when the proxy goes away. */
  cancel(): void;
  /** The next response's resources. Rejects as the stream does. */
  next(): Promise<{
    readonly typeUrl: string;
    readonly nonce: string;
    readonly count: number;
    /** Who answers, as it says. */
    readonly identifier: string;
    readonly resources: readonly { readonly typeUrl: string; readonly value: Uint8Array }[];
  }>;
}

export class DiscoveryPlane implements AsyncDisposable {
  readonly server: DiscoveryServer;
  readonly log: TestLog;
  readonly configFolder: string;
  readonly #token: Tokens;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    server: DiscoveryServer,
    log: TestLog,
    configFolder: string,
    token: Tokens,
    stack: AsyncDisposableStack,
  ) {
    this.server = server;
    this.log = log;
    this.configFolder = configFolder;
    this.#token = token;
    this.#stack = stack;
  }

  static async start(
    files: Readonly<Record<string, string>>,
    changes: Partial<DiscoveryOptions> = {},
  ): Promise<DiscoveryPlane> {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder()).path;
    const { options, issuer } = await discoveryOptions(folder, changes);
    const { configFolder } = options;
    for (const [name, content] of Object.entries(files)) writeFileSync(join(configFolder, name), content);
    const log = testLog();
    const server = stack.use(await DiscoveryServer.listen(options, log));
    return new DiscoveryPlane(server, log, configFolder, tokensOf(issuer), stack.move());
  }

  /** Streams to a control plane that runs, which is not its own. */
  static of(server: DiscoveryServer, issuer: TokenIssuer): DiscoveryPlane {
    return new DiscoveryPlane(server, testLog(), "", tokensOf(issuer), new AsyncDisposableStack());
  }

  /** Of a service account, as its port with TLS takes it. */
  token(serviceAccount: string, namespace: string): Promise<string> {
    return this.#token(serviceAccount, namespace);
  }

  /** On the port with TLS, with a token of `serviceAccount`. */
  async secure(serviceAccount: string, node: TestNode, namespace = "demo"): Promise<TestStream> {
    const tls = { rootCertificates: Buffer.from(this.server.rootCertificatePem) };
    const channel = new GrpcChannel({ address: `localhost:${this.server.ports.secureGrpc}`, tls });
    return this.#open(channel, node, {
      authorization: `Bearer ${await this.#token(serviceAccount, namespace)}`,
    });
  }

  /** On the port in plain text. */
  plain(node: TestNode): TestStream {
    const address = `127.0.0.1:${this.server.ports.grpc ?? 0}`;
    return this.#open(new GrpcChannel({ address, tls: undefined }), node, {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }

  #open(channel: GrpcChannel, node: TestNode, metadata: Readonly<Record<string, string>>): TestStream {
    this.#stack.use(channel);
    const stream: ByteStream = channel.stream(
      "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
      metadata,
    );
    const responses = stream[Symbol.asyncIterator]();
    return {
      send: ({ typeUrl, nonce = "", error, names = [] }) => {
        const request = create(DiscoveryRequestSchema, {
          node: { id: node.id, ...(node.metadata === undefined ? {} : { metadata: { ...node.metadata } }) },
          typeUrl,
          resourceNames: [...names],
          responseNonce: nonce,
          ...(error === undefined ? {} : { errorDetail: { message: error } }),
        });
        stream.enqueue(toBinary(DiscoveryRequestSchema, request));
      },
      cancel: () => {
        stream.cancel();
      },
      next: async () => {
        const { done, value } = await responses.next();
        if (done === true) throw new Error("the stream ended");
        const { typeUrl, nonce, resources, controlPlane } = fromBinary(DiscoveryResponseSchema, value);
        const { identifier = "" } = controlPlane ?? {};
        return { typeUrl, nonce, count: resources.length, resources, identifier };
      },
    };
  }
}
