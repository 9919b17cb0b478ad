/**
 * What Envoy's two sockets take: HTTP/2 connections as bytes. Whatever comes ends its own stream or connection, and the
 * next client is served.
 */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { trustBundleHandler } from "../../../src/agent/resource-handlers.ts";
import { GrpcChannel } from "../../../src/grpc/channel.ts";
import type { StreamHandler } from "../../../src/grpc/server.ts";
import { StreamServer } from "../../../src/grpc/stream-server.ts";
import { TaskGroup } from "../../../src/lifecycle/task-group.ts";
import { Watch } from "../../../src/lifecycle/watch.ts";
import {
  DeltaDiscoveryRequestSchema,
  DiscoveryRequestSchema,
} from "../../../src/proto/agent/discovery_pb.js";
import { SdsServer } from "../../../src/sds/server.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import { XdsProxy } from "../../../src/xdsproxy/xds-proxy.ts";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { fetchPrivateKey } from "../../support/sds-client.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { quietLog } from "../quiet-log.ts";
import { delta, sotw } from "../../support/xds-messages.ts";
import { goAway, grpcCall, oddFrames, preface } from "../../support/http2-bytes.ts";
import { exchangeAndLeave } from "../raw-connection.ts";
import type { FuzzTarget, OpenTarget } from "../target.ts";

const host = "127.0.0.1";

/** Silence after which a connection is left, in milliseconds: a stream may wait for more for ever. */
const quietMs = 20;

const words = [
  ...oddFrames.map((bytes) => bytes.toString("latin1")),
  "default",
  "ROOTCA",
  "file-root:/dev/zero",
  "file-cert:/a~/b",
  "file-root:system",
  "*",
  ...Object.values(typeUrl),
];

function streamTarget(name: string, calls: readonly Buffer[], open: () => Promise<OpenTarget>): FuzzTarget {
  return {
    name,
    corpus: name,
    seeds: [
      ...calls.map((call) => Buffer.concat([preface, call, goAway])),
      Buffer.concat([preface, ...calls, goAway]),
    ],
    words,
    concurrency: 16,
    maxBytes: 65_536,
    open,
  };
}

const sotwRequest = (resourceNames: string[], type: string = typeUrl.secret): Uint8Array =>
  toBinary(
    DiscoveryRequestSchema,
    create(DiscoveryRequestSchema, { node: { id: "sidecar~10.0.0.1~a.b~c" }, typeUrl: type, resourceNames }),
  );
const deltaRequest = (resourceNamesSubscribe: string[], type: string = typeUrl.secret): Uint8Array =>
  toBinary(
    DeltaDiscoveryRequestSchema,
    create(DeltaDiscoveryRequestSchema, { node: { id: "n" }, typeUrl: type, resourceNamesSubscribe }),
  );

const secretService = "/envoy.service.secret.v3.SecretDiscoveryService";

const sdsTarget = streamTarget(
  "sds",
  [
    grpcCall(1, `${secretService}/StreamSecrets`, [
      sotwRequest(["default"]),
      sotwRequest(["default", "ROOTCA"]),
    ]),
    grpcCall(3, `${secretService}/DeltaSecrets`, [deltaRequest(["default", "unknown"])]),
    grpcCall(5, `${secretService}/FetchSecrets`, [sotwRequest(["ROOTCA"])], { "grpc-timeout": "5S" }),
  ],
  async () => {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder());
    const path = join(folder.path, "socket");
    const tasks = stack.use(new TaskGroup());
    const workload = { certificateChainPem: "chain", privateKeyPem: "key" };
    const server = stack.use(
      await SdsServer.listen(
        { path, mode: 0o600, crlPath: join(folder.path, "crl.pem"), privateKeyProvider: undefined },
        {
          secrets: new Watch({ workload, rootPem: "root" }),
          log: quietLog(),
          metrics: new Metrics("istio_agent_"),
        },
      ),
    );
    tasks.spawn("sds", (signal) => server.run(signal));
    const owned = stack.move();
    return {
      feed: async (input) => {
        await exchangeAndLeave(connect({ path }), input, quietMs);
      },
      whole: async () => {
        assert.equal(await fetchPrivateKey(path), "key");
      },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  },
);

const discoveryService = "/envoy.service.discovery.v3.AggregatedDiscoveryService";

const xdsTarget = streamTarget(
  "xds",
  [
    grpcCall(1, `${discoveryService}/${sotw.method}`, [
      sotw.request({ typeUrl: typeUrl.cluster }),
      sotw.request({ typeUrl: typeUrl.cluster, nonce: "1", error: "no" }),
    ]),
    grpcCall(3, `${discoveryService}/${delta.method}`, [
      delta.request({ typeUrl: typeUrl.listener }),
      deltaRequest(["a"], typeUrl.route),
      deltaRequest([], typeUrl.proxyConfig),
    ]),
    grpcCall(5, `${discoveryService}/${sotw.method}`, [sotwRequest(["x"], "istio.io/debug/syncz")]),
  ],
  async () => {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(temporaryFolder());
    const path = join(folder.path, "XDS");
    const upstream = stack.use(await answeringControlPlane());
    stack.use(
      await XdsProxy.listen(
        {
          path,
          mode: 0o600,
          upstream: {
            address: `${host}:${upstream.port}`,
            tls: undefined,
            clusterId: "Kubernetes",
            headers: {},
          },
          cache: undefined,
        },
        {
          token: () => undefined,
          log: quietLog(),
          metrics: new Metrics("istio_agent_"),
          handlers: {
            [typeUrl.proxyConfig]: trustBundleHandler(new Watch<readonly string[]>([])),
          },
        },
      ),
    );
    const owned = stack.move();
    return {
      feed: async (input) => {
        await exchangeAndLeave(connect({ path }), input, quietMs);
      },
      whole: async () => {
        using channel = new GrpcChannel({ address: `unix:${path}`, tls: undefined });
        const stream = channel.stream(`${discoveryService}/${delta.method}`, {});
        await stream.write(delta.request({ typeUrl: typeUrl.cluster }));
        const { value } = await stream[Symbol.asyncIterator]().next();
        assert.deepEqual(value, clusters);
        stream.cancel();
      },
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  },
);

const clusters = delta.response({ typeUrl: typeUrl.cluster, nonce: "whole" });

/** Answers whoever asks for clusters, and nobody else. */
function answeringControlPlane(): Promise<StreamServer> {
  const answer: StreamHandler = async (stream) => {
    for await (const message of stream) if (message.includes(typeUrl.cluster)) await stream.write(clusters);
  };
  return StreamServer.listen({ host, port: 0 }, [
    {
      name: "envoy.service.discovery.v3.AggregatedDiscoveryService",
      streams: { [delta.method]: answer, [sotw.method]: answer },
    },
  ]);
}

export const streamTargets: readonly FuzzTarget[] = [sdsTarget, xdsTarget];
