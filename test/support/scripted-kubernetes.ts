/** As much of the API of Kubernetes as lists and watches need, whose answers and whose end the test decides. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { KubernetesAccess } from "../../src/controlplane/kubernetes/access.ts";

export interface ScriptedObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

/** What is answered in place of what would be; undefined for the latter. */
export type Fault = (
  method: string,
  url: URL,
) =>
  | {
      readonly status: number;
      readonly message?: string;
      readonly body?: string;
      readonly headers?: Record<string, string>;
    }
  | undefined;

interface Stored {
  readonly object: ScriptedObject;
  readonly version: number;
}

interface OpenWatch {
  readonly collection: string;
  readonly response: ServerResponse;
}

/** Kinds that are there whatever is in them, by their paths. */
const builtIn = [
  "/api/v1/services",
  "/api/v1/pods",
  "/api/v1/nodes",
  "/api/v1/namespaces",
  "/api/v1/secrets",
  "/api/v1/configmaps",
  "/apis/discovery.k8s.io/v1/endpointslices",
];

const istio: Readonly<Record<string, readonly string[]>> = {
  "networking.istio.io": [
    ...[
      "serviceentries",
      "workloadentries",
      "virtualservices",
      "destinationrules",
      "sidecars",
      "gateways",
      "envoyfilters",
    ],
  ],
  "security.istio.io": ["peerauthentications", "authorizationpolicies", "requestauthentications"],
  "telemetry.istio.io": ["telemetries"],
};

export class ScriptedKubernetes implements AsyncDisposable {
  /** Each request, as `METHOD path?query`. */
  readonly requests: string[] = [];
  /** True for a server that streams lists. */
  streamsLists = true;
  /** Istio's kinds are there. */
  hasIstio = true;
  /** Of Istio's kinds those that are not there, by their plurals. */
  missing: readonly string[] = [];
  fault: Fault = () => undefined;
  /** Objects of a page, whatever is asked for. */
  pageSize = 2;
  readonly #server = createServer((request, response) => {
    this.#handle(request, response);
  });
  readonly #collections = new Map<string, Map<string, Stored>>();
  readonly #watches = new Set<OpenWatch>();
  #version = 1;
  /** Changes before this one are forgotten. */
  #forgotten = 0;
  #events: { readonly collection: string; readonly version: number; readonly line: string }[] = [];

  static async start(): Promise<ScriptedKubernetes> {
    const scripted = new ScriptedKubernetes();
    await new Promise<void>((resolve) => scripted.#server.listen(0, "127.0.0.1", resolve));
    return scripted;
  }

  get access(): KubernetesAccess {
    const { port } = this.#server.address() as AddressInfo;
    return {
      server: `http://127.0.0.1:${port}`,
      credentials: () => Promise.resolve({ headers: { authorization: "Bearer t" } }),
    };
  }

  /** Create or replace, and tell who watches. @param collection such as `/api/v1/services` */
  put(collection: string, object: ScriptedObject): void {
    const objects = this.#objectsOf(collection);
    const key = keyOf(object);
    this.#version += 1;
    const stored = {
      version: this.#version,
      object: { ...object, metadata: { uid: key, ...object.metadata, resourceVersion: `${this.#version}` } },
    };
    this.#emit(collection, objects.has(key) ? "MODIFIED" : "ADDED", stored.object);
    objects.set(key, stored);
  }

  remove(collection: string, key: string): void {
    const stored = this.#objectsOf(collection).get(key);
    if (stored === undefined) throw new Error(`${key} is not in ${collection}`);
    this.#objectsOf(collection).delete(key);
    this.#version += 1;
    const metadata = { ...stored.object.metadata, resourceVersion: `${this.#version}` };
    this.#emit(collection, "DELETED", { ...stored.object, metadata });
  }

  /** The same, without a word to who watches, as what happens while a watch is torn. */
  removeUnseen(collection: string, key: string): void {
    this.#version += 1;
    this.#objectsOf(collection).delete(key);
    this.forget();
  }

  /** Whoever goes on from before now gets 410. */
  forget(): void {
    this.#forgotten = this.#version;
    this.#events = [];
  }

  bookmark(): void {
    for (const { response } of this.#watches) response.write(bookmarkLine(this.#version, false));
  }

  /** Write this to every watch of the collection. */
  writeToWatches(collection: string, text: string): void {
    for (const watch of this.#watches) if (watch.collection === collection) watch.response.write(text);
  }

  /** Break every watch, without an end. */
  tear(): void {
    for (const { response } of this.#watches) response.destroy();
  }

  /** End every watch, as a server does after a while. */
  end(): void {
    for (const watch of this.#watches) {
      this.#watches.delete(watch);
      watch.response.end();
    }
  }

  /** How many watches are open. */
  get watches(): number {
    return this.#watches.size;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      this.#server.closeAllConnections();
    });
  }

  #objectsOf(collection: string): Map<string, Stored> {
    const objects = this.#collections.get(collection) ?? new Map<string, Stored>();
    this.#collections.set(collection, objects);
    return objects;
  }

  #emit(collection: string, type: string, object: ScriptedObject): void {
    const line = `${JSON.stringify({ type, object })}\n`;
    this.#events.push({ collection, version: this.#version, line });
    this.writeToWatches(collection, line);
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", "http://kubernetes");
    this.requests.push(`${request.method ?? ""} ${url.pathname}${url.search}`);
    const fault = this.fault(request.method ?? "", url);
    if (fault !== undefined) {
      const { status, message = "scripted", body, headers } = fault;
      const json = JSON.stringify({ kind: "Status", code: status, message });
      response.writeHead(status, headers).end(body ?? json);
      return;
    }
    const groups = this.hasIstio ? istio : {};
    const [, apis, group = "", version, plural] = url.pathname.split("/");
    if (url.pathname === "/apis") {
      const versions = [{ version: "v1alpha3" }, { version: "v1beta1" }, { version: "v1" }];
      const listed = Object.keys(groups).map((name) => ({ name, versions }));
      send(response, { kind: "APIGroupList", groups: listed });
      return;
    }
    if (apis === "apis" && plural === undefined) {
      const plurals = groups[group]?.filter((name) => this.#has(name, version));
      // Kubernetes' own words for a group that it does not have.
      if (plurals === undefined) response.writeHead(404).end("404 page not found\n");
      else if (version === undefined) refuse(response, 500, "nobody asks so");
      else send(response, { kind: "APIResourceList", resources: plurals.map((name) => ({ name })) });
      return;
    }
    const isIstios = groups[group]?.includes(plural ?? "") === true && this.#has(plural ?? "", version);
    if (!builtIn.includes(url.pathname) && !isIstios) response.writeHead(404).end("404 page not found\n");
    else if (url.searchParams.get("watch") === "true") this.#watch(url, response);
    else this.#list(url, response);
  }

  /** EnvoyFilters have the first version of Istio's API only. */
  #has(plural: string, version: string | undefined): boolean {
    const served = plural === "envoyfilters" ? "v1alpha3" : "v1";
    return version === served && !this.missing.includes(plural);
  }

  #list({ pathname, searchParams }: URL, response: ServerResponse): void {
    const items = [...this.#objectsOf(pathname).values()].map(({ object }) => object);
    const from = Number(searchParams.get("continue") ?? "0");
    const to = from + this.pageSize;
    const metadata = {
      resourceVersion: `${this.#version}`,
      ...(to < items.length ? { continue: `${to}` } : {}),
    };
    send(response, { kind: "List", metadata, items: items.slice(from, to) });
  }

  #watch({ pathname, searchParams }: URL, response: ServerResponse): void {
    const isInitial = searchParams.get("sendInitialEvents") === "true";
    if (isInitial && !this.streamsLists) {
      refuse(
        response,
        422,
        "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled",
      );
      return;
    }
    response.writeHead(200, { "content-type": "application/json" });
    response.flushHeaders();
    if (isInitial) {
      for (const { object } of this.#objectsOf(pathname).values())
        response.write(`${JSON.stringify({ type: "ADDED", object })}\n`);
      response.write(bookmarkLine(this.#version, true));
    } else {
      const from = Number(searchParams.get("resourceVersion"));
      if (from < this.#forgotten) {
        const object = { kind: "Status", code: 410, message: "too old resource version" };
        response.end(`${JSON.stringify({ type: "ERROR", object })}\n`);
        return;
      }
      for (const { collection, version, line } of this.#events)
        if (collection === pathname && version > from) response.write(line);
    }
    const watch = { collection: pathname, response };
    this.#watches.add(watch);
    response.on("close", () => this.#watches.delete(watch));
  }
}

function bookmarkLine(version: number, isEnd: boolean): string {
  const annotations = isEnd ? { "k8s.io/initial-events-end": "true" } : {};
  const metadata = { resourceVersion: `${version}`, annotations };
  return `${JSON.stringify({ type: "BOOKMARK", object: { metadata } })}\n`;
}

function keyOf({ metadata: { namespace = "", name } }: ScriptedObject): string {
  return `${namespace}/${name}`;
}

function send(response: ServerResponse, body: object): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function refuse(response: ServerResponse, code: number, message: string): void {
  response.writeHead(code, { "content-type": "application/json" });
  response.end(JSON.stringify({ kind: "Status", code, message }));
}
