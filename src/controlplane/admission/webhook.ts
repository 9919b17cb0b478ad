/**
 * The webhook that the API server asks before it takes an object: HTTPS, `/validate`, and whether it is there.
 */
import { createServer, type Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { SecureContextOptions } from "node:tls";
import { jsonValue } from "../../document/json.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import type { Logger } from "../../telemetry/log.ts";
import { reviewed } from "./review.ts";

/** Where it listens, and with what. */
export interface WebhookOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: WebhookTls;
}

/** PEM, the chain with the leaf first. */
export interface WebhookTls {
  readonly certificateChain: string;
  readonly privateKey: string;
}

/** An object has 1.5 MiB at most in etcd, and a review two of them. */
const limits = { maxBytes: 2 ** 23, maxDepth: 128, maxParts: Infinity };

/** A review is answered at once: the API server gives up after ten seconds, in milliseconds. */
const requestMs = 10_000;

/** Answers until disposed. */
export class AdmissionWebhook implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws the system error when the port cannot be bound */
  static async listen({ host, port, tls }: WebhookOptions, log: Logger): Promise<AdmissionWebhook> {
    const server = createServer(contextOf(tls), (request, response) => {
      answer(request, response).catch((error: unknown) => {
        log.error("a review failed", { reason: errorMessage(error) });
        response.writeHead(500).end();
      });
    });
    server.requestTimeout = requestMs;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, resolve);
    });
    return new AdmissionWebhook(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Answer with these from now on. */
  renewTls(tls: WebhookTls): void {
    this.#server.setSecureContext(contextOf(tls));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      this.#server.closeAllConnections();
    });
  }
}

function contextOf({ certificateChain, privateKey }: WebhookTls): SecureContextOptions {
  return { cert: certificateChain, key: privateKey, minVersion: "TLSv1.2" };
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path] = (request.url ?? "").split("?");
  if (path === "/ready" || path === "/healthz/ready") {
    response.writeHead(200).end();
    return;
  }
  if (path !== "/validate" || request.method !== "POST") {
    response.writeHead(404, { "content-type": "text/plain" }).end("Not Found\n");
    return;
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > limits.maxBytes) {
      response.writeHead(413).end();
      return;
    }
    chunks.push(chunk);
  }
  const review = reviewed(jsonValue(Buffer.concat(chunks).toString("utf8"), limits));
  if (review === undefined) {
    response.writeHead(400, { "content-type": "text/plain" }).end("This is no AdmissionReview\n");
    return;
  }
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(review));
}
