/**
 * The control plane's two gRPC ports, fed HTTP/2 connections as bytes: whatever comes ends its own stream or connection,
 * no certificate is signed but for the token's owner, and no workload is taken out of service.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { create, toBinary } from "@bufbuild/protobuf";
import { openTokenIssuer } from "../../../src/controlplane/demo-tokens.ts";
import { DiscoveryServer } from "../../../src/controlplane/discovery-server.ts";
import { GrpcChannel } from "../../../src/grpc/channel.ts";
import { IstioCertificateRequestSchema } from "../../../src/proto/agent/ca_pb.js";
import { createCertificateRequest } from "../../../src/pki/certificate-request.ts";
import { createLogger } from "../../../src/telemetry/log.ts";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { discoveryOptions } from "../../support/discovery-options.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { delta, sotw } from "../../support/xds-messages.ts";
import { goAway, grpcCall, oddFrames, preface } from "../../support/http2-bytes.ts";
import { checkHttpAnswer, getRequest, httpTarget } from "../http-target.ts";
import { exchange, exchangeAndLeave } from "../raw-connection.ts";
import type { FuzzTarget, OpenTarget } from "../target.ts";

const host = "127.0.0.1";

/** Silence after which a connection is left, in milliseconds: a stream may wait for more for ever. */
const quietMs = 20;

const discoveryService = "/envoy.service.discovery.v3.AggregatedDiscoveryService";
const certificateService = "/istio.v1.auth.IstioCertificateService/CreateCertificate";
const identity = "spiffe://cluster.local/ns/demo/sa/web";

/** The tokens' key is the target's own, so that the seeds hold a token that is accepted. */
const state = temporaryFolder();
process.once("exit", () => {
  state[Symbol.dispose]();
});
const issuer = await openTokenIssuer(join(state.path, "state"));
const token = await issuer.issue({
  namespace: "demo",
  serviceAccount: "web",
  audience: "istio-ca",
  lifetimeMs: 24 * 3_600_000,
});
const { requestPem } = await createCertificateRequest({ algorithm: "ECDSA", curve: "P256" }, identity);
const authorization = { authorization: `Bearer ${token}` };
const certificateRequest = toBinary(
  IstioCertificateRequestSchema,
  create(IstioCertificateRequestSchema, { csr: requestPem, validityDuration: 600n }),
);

const calls = (more: Readonly<Record<string, string>>): readonly Buffer[] => [
  grpcCall(
    1,
    `${discoveryService}/${sotw.method}`,
    [
      sotw.request({ typeUrl: typeUrl.cluster }),
      sotw.request({ typeUrl: typeUrl.listener, nonce: "1", error: "no" }),
    ],
    more,
  ),
  grpcCall(
    3,
    `${discoveryService}/${delta.method}`,
    [
      delta.request({ typeUrl: typeUrl.cluster, names: ["*"] }),
      delta.request({ typeUrl: typeUrl.endpoint, names: ["a"], unsubscribed: ["b"] }),
      delta.request({ typeUrl: "type.googleapis.com/istio.v1.HealthInformation", error: "down" }),
    ],
    more,
  ),
  grpcCall(5, certificateService, [certificateRequest], more),
];

const service = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: web, namespace: demo}
spec:
  hosts: [web.demo.svc.cluster.local]
  ports: [{number: 80, name: http, protocol: HTTP}]
  resolution: STATIC
  endpoints: [{address: 10.0.0.1, serviceAccount: web}]
`;

interface RunningPlane extends AsyncDisposable {
  readonly plane: DiscoveryServer;
  /** Rejects when something was signed or marked that must not be. */
  readonly check: () => void;
}

/** What a caller's credential proves to be its own to report on: any workload of its service account. */
type OwnWorkload = RegExp | undefined;

async function runningPlane(own?: OwnWorkload): Promise<RunningPlane> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder());
  const { options } = await discoveryOptions(folder.path, {
    jwt: { jwks: issuer.jwks, issuer: issuer.issuer, audiences: ["istio-ca"] },
    maxWorkloadTtlMs: 86_400_000,
    debounceMs: 100,
  });
  writeFileSync(join(options.configFolder, "web.yaml"), service);
  const wrong: string[] = [];
  const log = createLogger({
    json: true,
    levels: { default: "info" },
    now: () => new Date(),
    write: (line) => {
      if (line.includes("workload is unhealthy") && own?.test(line) !== true) wrong.push(line);
      if (line.includes("certificate signed") && !line.includes(identity)) wrong.push(line);
    },
  });
  const plane = stack.use(await DiscoveryServer.listen(options, { log }));
  const owned = stack.move();
  return {
    plane,
    check: () => {
      assert.deepEqual(wrong, []);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function discoveryTarget(
  name: string,
  more: Readonly<Record<string, string>>,
  own: OwnWorkload,
  reach: (plane: DiscoveryServer) => { open: () => Socket; channel: () => GrpcChannel },
): FuzzTarget {
  const all = calls(more);
  return {
    name,
    corpus: "discovery",
    seeds: [
      ...all.map((call) => Buffer.concat([preface, call, goAway])),
      Buffer.concat([preface, ...all, goAway]),
    ],
    words: [
      ...oddFrames.map((bytes) => bytes.toString("latin1")),
      ...Object.values(typeUrl),
      "sidecar~10.0.0.2~api-1.demo~demo.svc.cluster.local",
      "NAMESPACE",
      "LABELS",
      "*",
    ],
    concurrency: 16,
    maxBytes: 65_536,
    open: async (): Promise<OpenTarget> => {
      const running = await runningPlane(own);
      const { open, channel } = reach(running.plane);
      return {
        feed: async (input) => {
          await exchangeAndLeave(open(), input, quietMs);
          running.check();
        },
        whole: async () => {
          using client = channel();
          const stream = client.stream(`${discoveryService}/${delta.method}`, more);
          await stream.write(delta.request({ typeUrl: typeUrl.cluster }));
          const { value } = await stream[Symbol.asyncIterator]().next();
          assert.ok(Buffer.isBuffer(value) && value.includes("web.demo.svc.cluster.local"));
          stream.cancel();
        },
        [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
      };
    },
  };
}

const pagesTarget = httpTarget("discovery-http", async () => {
  const { plane, ...running } = await runningPlane();
  const to = { host, port: plane.ports.http };
  return {
    feed: async (input) => {
      checkHttpAnswer(await exchange(to, input));
    },
    whole: async () => {
      const answer = await exchange(to, getRequest("/ready"));
      assert.match(answer.toString("latin1"), /^HTTP\/1\.1 200 /);
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
});

export const discoveryTargets: readonly FuzzTarget[] = [
  pagesTarget,
  discoveryTarget("discovery-plain", {}, undefined, ({ ports }) => ({
    open: () => connect({ host, port: ports.grpc ?? 0 }),
    channel: () => new GrpcChannel({ address: `${host}:${ports.grpc ?? 0}`, tls: undefined }),
  })),
  discoveryTarget(
    "discovery-tls",
    authorization,
    /"proxy":"[^"~]+~[^"~]+~[^"~]+\.demo~/,
    ({ ports, rootCertificatePem }) => ({
      open: () =>
        connectTls({
          host,
          port: ports.secureGrpc,
          ca: rootCertificatePem,
          ALPNProtocols: ["h2"],
          servername: "localhost",
        }),
      channel: () =>
        new GrpcChannel({
          address: `${host}:${ports.secureGrpc}`,
          tls: { rootCertificates: Buffer.from(rootCertificatePem) },
        }),
    }),
  ),
];
