/**
 * As much of Nomad's HTTP API as a source of services asks, played back from its documentation (Nomad 1.10, "HTTP API": Services,
 * Allocations, Event stream; "Workload identity"): no Nomad of a free licence can be built from a module that is still there.
 */
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecure } from "node:https";
import type { AddressInfo } from "node:net";
import type { IssuedKeyPair } from "./test-pki.ts";

/** As `/v1/service/NAME` has it. */
export interface PlayedRegistration {
  readonly ID: string;
  readonly ServiceName: string;
  readonly Namespace: string;
  readonly NodeID: string;
  readonly Datacenter: string;
  readonly JobID: string;
  readonly AllocID: string;
  readonly Tags: readonly string[];
  readonly Address: string;
  readonly Port: number;
}

export type PlayedChecks = Readonly<Record<string, "success" | "failure" | "pending">>;

export class ScriptedNomad implements AsyncDisposable {
  readonly url: string;
  /** Paths and queries that were asked for. */
  readonly questions: string[] = [];
  /** From now on every question is answered so. */
  refusing: { readonly status: number; readonly body: string } | undefined;
  /** What is asked with another one is refused. */
  token: string | undefined;
  /** Of the key set. */
  keys: readonly object[] = [];
  #index: number;
  readonly #registrations = new Map<string, PlayedRegistration>();
  readonly #allocations = new Map<string, string>();
  readonly #checks = new Map<string, PlayedChecks>();
  readonly #streams = new Set<ServerResponse>();
  readonly #close: () => Promise<void>;

  private constructor(url: string, index: number, close: () => Promise<void>) {
    this.url = url;
    this.#index = index;
    this.#close = close;
  }

  /** @param pair makes it speak TLS. @param options.port the one of a Nomad that was there before */
  static async start(
    options: { readonly pair?: IssuedKeyPair; readonly port?: number; readonly index?: number } = {},
  ): Promise<ScriptedNomad> {
    const { pair, port = 0, index = 100 } = options;
    const handle = (request: IncomingMessage, response: ServerResponse): void => {
      nomad.#handle(request, response);
    };
    const server =
      pair === undefined
        ? createPlain(handle)
        : createSecure({ cert: pair.certificatePem, key: pair.privateKeyPem }, handle);
    await new Promise<void>((resolve) => {
      server.listen(port, "127.0.0.1", resolve);
    });
    const { port: bound } = server.address() as AddressInfo;
    const url = `${pair === undefined ? "http" : "https"}://127.0.0.1:${bound}`;
    const nomad = new ScriptedNomad(url, index, async () => {
      await new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      });
    });
    return nomad;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** An instance of `service`, in an allocation of its own that is named as it is. */
  register(service: string, changes: Partial<PlayedRegistration> = {}): PlayedRegistration {
    const number = this.#registrations.size + 1;
    const registration: PlayedRegistration = {
      ...{ ID: `_nomad-task-${service}-${number}`, ServiceName: service, Namespace: "default", NodeID: "n1" },
      ...{ Datacenter: "dc1", JobID: service, AllocID: `alloc-${service}-${number}`, Tags: [] },
      ...{ Address: `10.0.0.${number}`, Port: 20_000 + number },
      ...changes,
    };
    this.#registrations.set(registration.ID, registration);
    this.#allocations.set(registration.AllocID, "running");
    this.#send("Service", "ServiceRegistration", { Service: registration });
    return registration;
  }

  deregister(registration: PlayedRegistration): void {
    this.#registrations.delete(registration.ID);
    this.#send("Service", "ServiceDeregistration", { Service: registration });
  }

  /** An allocation's ClientStatus. */
  allocation(id: string, status: string): void {
    this.#allocations.set(id, status);
    this.#send("Allocation", "AllocationUpdated", { Allocation: { ID: id, ClientStatus: status } });
  }

  /** What the client says of an allocation's checks, by their service. */
  checks(id: string, checks: PlayedChecks): void {
    this.#checks.set(id, checks);
  }

  /** As a server that is stopped does. */
  endStreams(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  #send(topic: string, type: string, payload: object): void {
    this.#index += 1;
    const event = {
      Topic: topic,
      Type: type,
      Key: "k",
      Namespace: "default",
      Index: this.#index,
      Payload: payload,
    };
    for (const stream of this.#streams)
      stream.write(`{}\n${JSON.stringify({ Index: this.#index, Events: [event] })}\n`);
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? "", this.url);
    this.questions.push(request.url ?? "");
    if (this.refusing !== undefined) {
      response.writeHead(this.refusing.status).end(this.refusing.body);
      return;
    }
    if (this.token !== undefined && request.headers["x-nomad-token"] !== this.token) {
      response.writeHead(403).end("Permission denied");
      return;
    }
    if (pathname === "/v1/event/stream") {
      response.writeHead(200, { "content-type": "application/json" });
      response.write("{}\n");
      this.#streams.add(response);
      response.on("close", () => this.#streams.delete(response));
      return;
    }
    const body = this.#answer(pathname, searchParams.get("namespace") ?? "default");
    if (body === undefined) {
      response.writeHead(404).end("not found");
      return;
    }
    response.writeHead(200, { "x-nomad-index": `${this.#index}`, "x-nomad-knownleader": "true" });
    response.end(JSON.stringify(body));
  }

  #answer(pathname: string, namespace: string): unknown {
    const all = [...this.#registrations.values()];
    if (pathname === "/.well-known/jwks.json") return { keys: this.keys };
    if (pathname === "/v1/services")
      return [...Map.groupBy(all, ({ Namespace }) => Namespace)]
        .filter(([name]) => namespace === "*" || name === namespace)
        .map(([Namespace, of]) => ({
          Namespace,
          Services: [...new Set(of.map(({ ServiceName }) => ServiceName))].map((ServiceName) => ({
            ServiceName,
            Tags: [],
          })),
        }));
    if (pathname === "/v1/allocations")
      return [...this.#allocations].map(([ID, ClientStatus]) => ({ ID, ClientStatus }));
    const service = /^\/v1\/service\/(.+)$/.exec(pathname)?.[1];
    if (service !== undefined)
      return all.filter(
        ({ ServiceName, Namespace }) =>
          ServiceName === decodeURIComponent(service) && Namespace === namespace,
      );
    const allocation = /^\/v1\/allocation\/([^/]+)\/checks$/.exec(pathname)?.[1];
    if (allocation === undefined) return undefined;
    const checks = Object.entries(this.#checks.get(allocation) ?? {});
    return Object.fromEntries(
      checks.map(([Service, Status], number) => [
        `check-${number}`,
        { ID: `check-${number}`, Check: "alive", Mode: "healthiness", Service, Status, Timestamp: 1 },
      ]),
    );
  }
}
