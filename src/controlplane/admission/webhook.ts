/**
 * The webhook that the API server asks before it takes an object: HTTPS, `/validate`, `/inject`, and whether it is there.
 *
 * Whoever reaches the port may ask: what that costs is bounded, in bytes, in parts, and in what is done in one turn.
 */
import { createServer, type Server } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { SecureContextOptions } from "node:tls";
import { jsonValue } from "../../document/json.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { Turns } from "../../lifecycle/turns.ts";
import { ConnectionTable } from "../../net/connection-table.ts";
import type { Logger } from "../../telemetry/log.ts";
import { Bodies } from "./bodies.ts";
import type { AdmissionAnswer } from "./answer.ts";
import { injectionPlace, injectionReviewed, type InjectionState } from "./injection-review.ts";
import { reviewed } from "./review.ts";

/** Where it listens, and with what. */
export interface WebhookOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: WebhookTls;
  /** What pods are injected with, by now; left out where they are not. */
  readonly injection?: () => InjectionState;
}

/** PEM, the chain with the leaf first. */
export interface WebhookTls {
  readonly certificateChain: string;
  readonly privateKey: string;
}

/** An object has 1.5 MiB at most in etcd, and a review two of them. So many parts are read in a fifth of a second, in turns. */
const limits = { maxBytes: 3 * 2 ** 20, maxDepth: 128, maxParts: 2 ** 17 };

/** Reviews that are being read: the API servers of a cluster ask for a few at once. */
const mostBodies = 16;

/** Connections: API servers keep theirs open. */
const connections = { most: 128, mostOfOneSource: 96 };

/** A review is answered at once: the API server gives up after ten seconds, in milliseconds. */
const requestMs = 10_000;

/** Between two looks for requests that took too long, in milliseconds. */
const checkMs = 2_000;

/** Answers until disposed. */
export class AdmissionWebhook implements AsyncDisposable {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @throws the system error when the port cannot be bound */
  static async listen(
    { host, port, tls, injection }: WebhookOptions,
    log: Logger,
  ): Promise<AdmissionWebhook> {
    const bodies = new Bodies({ maxBytes: limits.maxBytes, mostAtOnce: mostBodies });
    const turns = new Turns();
    const server = createServer(
      {
        ...contextOf(tls),
        handshakeTimeout: requestMs,
        headersTimeout: requestMs,
        requestTimeout: requestMs,
        connectionsCheckingInterval: checkMs,
      },
      (request, response) => {
        answer(request, response, { bodies, turns, injection }).catch((error: unknown) => {
          // Whoever goes away before all is said has asked nothing.
          if (!request.complete) return;
          log.error("a review failed", { reason: errorMessage(error) });
          if (!response.headersSent) response.writeHead(500).end();
        });
      },
    );
    const table = new ConnectionTable<Socket>(connections);
    server.on("connection", (socket: Socket) => {
      socket.once("close", () => {
        table.close(socket);
      });
      for (const victim of table.open(socket, socket.remoteAddress ?? "")) victim.destroy();
    });
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

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  {
    bodies,
    turns,
    injection,
  }: {
    readonly bodies: Bodies;
    readonly turns: Turns;
    readonly injection: WebhookOptions["injection"];
  },
): Promise<void> {
  const [path = ""] = (request.url ?? "").split("?");
  if (path === "/ready" || path === "/healthz/ready") {
    response.writeHead(200).end();
    return;
  }
  const answerOf = answererOf(path, injection);
  if (answerOf === undefined || request.method !== "POST") {
    response.writeHead(404, { "content-type": "text/plain" }).end("Not Found\n");
    return;
  }
  const body = await bodies.read(request);
  if (body === undefined) {
    response.writeHead(413, { connection: "close" }).end(() => {
      request.destroy();
    });
    return;
  }
  const asked = await turns.run(() => jsonValue(body.toString("utf8"), limits));
  const review = await turns.steps(answerOf(asked));
  if (review === undefined) {
    response.writeHead(400, { "content-type": "text/plain" }).end("This is no AdmissionReview\n");
    return;
  }
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(review));
}

/** Who answers at a path; undefined for nobody. */
function answererOf(
  path: string,
  injection: WebhookOptions["injection"],
): ((review: unknown) => Generator<void, AdmissionAnswer | undefined>) | undefined {
  if (path === "/validate") return reviewed;
  const place = injectionPlace(path);
  if (place === undefined || injection === undefined) return undefined;
  return function* (review) {
    yield;
    return injectionReviewed(review, place, injection());
  };
}
