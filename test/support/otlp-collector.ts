/** A collector of OTLP over gRPC, by grpc-js: another implementation than the one that sends. */
import {
  type Metadata,
  type sendUnaryData,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
} from "@grpc/grpc-js";

/** One export, as grpc-js has read it. */
export interface GrpcExport {
  readonly path: string;
  readonly metadata: Metadata;
  readonly body: Buffer;
}

/** Answers an export. */
export type AnswerExport = (done: sendUnaryData<Buffer>, exported: GrpcExport) => void;

export interface OtlpCollector extends AsyncDisposable {
  readonly port: number;
  readonly exports: readonly GrpcExport[];
}

/** PEM of a collector that has TLS. */
export interface CollectorTls {
  readonly certificateChain: string;
  readonly privateKey: string;
  /** Whose clients it takes; undefined takes any. */
  readonly clientRoots?: string;
}

const asIs = (bytes: Buffer): Buffer => bytes;
const services = ["trace.v1.TraceService", "metrics.v1.MetricsService"];

/** @param answer takes everything unless told */
export async function startOtlpCollector(
  answer: AnswerExport = (done) => {
    done(null, Buffer.alloc(0));
  },
  tls?: CollectorTls,
): Promise<OtlpCollector> {
  const server = new Server();
  const exports: GrpcExport[] = [];
  for (const service of services) {
    const path = `/opentelemetry.proto.collector.${service}/Export`;
    const definition: ServiceDefinition = {
      Export: {
        ...{ path, requestStream: false, responseStream: false },
        ...{ requestSerialize: asIs, requestDeserialize: asIs },
        ...{ responseSerialize: asIs, responseDeserialize: asIs },
      },
    };
    server.addService(definition, {
      Export: ({ metadata, request }: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
        const exported = { path, metadata, body: request };
        exports.push(exported);
        answer(done, exported);
      },
    });
  }
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", credentialsOf(tls), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    port,
    exports,
    [Symbol.asyncDispose]: () => {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}

function credentialsOf(tls: CollectorTls | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure();
  const pair = { private_key: Buffer.from(tls.privateKey), cert_chain: Buffer.from(tls.certificateChain) };
  return tls.clientRoots === undefined
    ? ServerCredentials.createSsl(null, [pair])
    : ServerCredentials.createSsl(Buffer.from(tls.clientRoots), [pair], true);
}
