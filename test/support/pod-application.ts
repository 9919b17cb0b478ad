/**
 * The application of a pod, which knows of no mesh: it serves HTTP, TCP and gRPC, or calls another by name, and prints
 * what it got.
 */
import { createServer as createHttpServer } from "node:http";
import { connect, createServer, type AddressInfo } from "node:net";
import { Client, credentials, Server, ServerCredentials } from "@grpc/grpc-js";

/** Ports of the application, and of its service. */
export const applicationPorts = { http: 8_080, tcp: 9_100, grpc: 9_000 } as const;

/** What a client of each protocol got; an error is its text. */
export interface CallReport {
  /** The identity of the caller as the application was told it. */
  readonly http: string;
  readonly tcp: string;
  readonly grpc: string;
}

const path = "/demo.Echo/Say";
const same = (bytes: Buffer): Buffer => bytes;

async function serve(): Promise<void> {
  const http = createHttpServer((request, response) => {
    response.end(`application: ${String(request.headers["x-forwarded-client-cert"] ?? "nobody")}`);
  });
  const tcp = createServer((socket) => {
    socket
      .on("error", () => undefined)
      .on("data", (text) => socket.end(`application: ${text.toString("utf8")}`));
  });
  const grpc = new Server();
  grpc.addService(
    {
      say: {
        ...{ path, requestStream: false, responseStream: false },
        ...{
          requestSerialize: same,
          requestDeserialize: same,
          responseSerialize: same,
          responseDeserialize: same,
        },
      },
    },
    {
      say: (call: { request: Buffer }, answer: (error: null, reply: Buffer) => void) => {
        answer(null, Buffer.from(`application: ${call.request.toString("utf8")}`));
      },
    },
  );
  await new Promise<void>((resolve, reject) => {
    grpc.bindAsync(`0.0.0.0:${applicationPorts.grpc}`, ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
  await new Promise<void>((resolve) => tcp.listen(applicationPorts.tcp, "0.0.0.0", resolve));
  await new Promise<void>((resolve) => http.listen(applicationPorts.http, "0.0.0.0", resolve));
  console.log(`serves ${(http.address() as AddressInfo).port}`);
}

async function call(host: string): Promise<CallReport> {
  const attempt = (one: Promise<string>): Promise<string> =>
    one.catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  const [http, tcp, grpc] = await Promise.all([
    attempt(fetch(`http://${host}/`).then((response) => response.text())),
    attempt(callTcp(host)),
    attempt(callGrpc(host)),
  ]);
  return { http, tcp, grpc };
}

function callTcp(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    connect({ host, port: applicationPorts.tcp, timeout: 10_000 })
      .on("data", (chunk) => (text += chunk.toString("utf8")))
      .on("error", reject)
      .on("timeout", () => {
        reject(new Error("silence"));
      })
      .on("close", () => {
        resolve(text === "" ? "closed" : text);
      })
      .write("over TCP");
  });
}

function callGrpc(host: string): Promise<string> {
  const client = new Client(`${host}:${applicationPorts.grpc}`, credentials.createInsecure());
  return new Promise<string>((resolve, reject) => {
    const deadline = Date.now() + 10_000;
    client.makeUnaryRequest(path, same, same, Buffer.from("over gRPC"), { deadline }, (error, reply) => {
      if (error === null) resolve(reply?.toString("utf8") ?? "");
      else reject(error);
    });
  }).finally(() => {
    client.close();
  });
}

if (import.meta.main) {
  const [what, host = ""] = process.argv.slice(2);
  if (what === "serve") await serve();
  else console.log(JSON.stringify(await call(host)));
}
