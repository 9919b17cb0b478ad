/**
 * The application of a pod, which knows of no mesh: it serves HTTP, HTTPS, TCP and gRPC, or calls another by name, and
 * prints what it got. Its working directory has the key, the certificate and the root of its own TLS.
 */
import { readFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer, get } from "node:https";
import { connect, createServer, type Server as NetServer } from "node:net";
import { Client, credentials, Server, ServerCredentials } from "@grpc/grpc-js";

/** Ports of the application, and of its service. */
export const applicationPorts = { http: 8_080, https: 8_443, tcp: 9_100, grpc: 9_000 } as const;

/** Files of its own TLS. */
export const applicationTls = { key: "tls.key", certificate: "tls.crt", root: "ca.crt" } as const;

/** What a client of each protocol got, which ends in the address that the application was called from; or an error. */
export interface CallReport {
  /** The identity of the caller as the application was told it. */
  readonly http: string;
  readonly https: string;
  readonly tcp: string;
  readonly grpc: string;
}

const path = "/demo.Echo/Say";
const same = (bytes: Buffer): Buffer => bytes;

function answer(what: string, from: string | undefined): string {
  return `application: ${what} from ${from ?? "nowhere"}`;
}

async function serve(): Promise<void> {
  const http = createHttpServer((request, response) => {
    const caller = String(request.headers["x-forwarded-client-cert"] ?? "nobody");
    response.end(answer(caller, request.socket.remoteAddress));
  });
  const tls = { key: readFileSync(applicationTls.key), cert: readFileSync(applicationTls.certificate) };
  const https = createHttpsServer(tls, (request, response) => {
    response.end(answer("over HTTPS", request.socket.remoteAddress));
  });
  const tcp = createServer((socket) => {
    socket
      .on("error", () => undefined)
      .on("data", (text) => socket.end(answer(text.toString("utf8"), socket.remoteAddress)));
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
      say: (call: { request: Buffer; getPeer(): string }, reply: (error: null, message: Buffer) => void) => {
        const [address] = call.getPeer().split(":");
        reply(null, Buffer.from(answer(call.request.toString("utf8"), address)));
      },
    },
  );
  await new Promise<void>((resolve, reject) => {
    grpc.bindAsync(`0.0.0.0:${applicationPorts.grpc}`, ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
  const listen = (server: NetServer, port: number): Promise<void> =>
    new Promise((resolve) => server.listen(port, "0.0.0.0", resolve));
  await listen(tcp, applicationPorts.tcp);
  await listen(https, applicationPorts.https);
  await listen(http, applicationPorts.http);
  console.log("serves");
}

async function call(host: string): Promise<CallReport> {
  const attempt = (one: Promise<string>): Promise<string> =>
    one.catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  const [http, https, tcp, grpc] = await Promise.all([
    attempt(fetch(`http://${host}/`).then((response) => response.text())),
    attempt(callHttps(host)),
    attempt(callTcp(host)),
    attempt(callGrpc(host)),
  ]);
  return { http, https, tcp, grpc };
}

/** With the application's own root: what is in between cannot answer for it. */
function callHttps(host: string): Promise<string> {
  const ca = readFileSync(applicationTls.root);
  return new Promise((resolve, reject) => {
    get(`https://${host}/`, { ca, timeout: 10_000 }, (response) => {
      let text = "";
      response
        .on("data", (chunk: Buffer) => (text += chunk.toString("utf8")))
        .on("end", () => {
          resolve(text);
        });
    })
      .on("timeout", () => {
        reject(new Error("silence"));
      })
      .on("error", reject);
  });
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
