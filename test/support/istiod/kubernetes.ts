/**
 * As much of a Kubernetes API as istiod needs that takes its configuration from files: a cluster in which there is
 * nothing, where whatever is written is taken, and every token is the account's that it names.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { HttpServer } from "../../../src/net/http-server.ts";

/** Kinds of the resources that istiod lists, by their names in paths. */
const kinds: Readonly<Record<string, string>> = {
  configmaps: "ConfigMap",
  endpointslices: "EndpointSlice",
  ingressclasses: "IngressClass",
  ingresses: "Ingress",
  mutatingwebhookconfigurations: "MutatingWebhookConfiguration",
  namespaces: "Namespace",
  nodes: "Node",
  pods: "Pod",
  secrets: "Secret",
  serviceaccounts: "ServiceAccount",
  services: "Service",
  validatingwebhookconfigurations: "ValidatingWebhookConfiguration",
};

export interface EmptyCluster extends AsyncDisposable {
  readonly port: number;
  /** What istiod has made of its root. */
  readonly rootPem: Promise<string>;
}

interface KubernetesObject {
  readonly metadata?: { readonly name: string };
  readonly spec?: { readonly token?: string; readonly audiences?: readonly string[] };
  readonly data?: Readonly<Record<string, string>>;
}

export async function startEmptyCluster(): Promise<EmptyCluster> {
  const root = Promise.withResolvers<string>();
  // istiod's own key is in one: the next istiod goes on with it.
  const secrets = new Map<string, KubernetesObject>();
  const server = await HttpServer.listen({ host: "127.0.0.1", port: 0 }, async (request, response) => {
    const url = new URL(request.url ?? "/", "http://kubernetes");
    if (request.method === "GET") {
      const secret = secrets.get(url.pathname);
      if (secret === undefined) list(request, url, response);
      else answer(response, 200, secret);
      return;
    }
    const written = await readObject(request);
    if (url.pathname.endsWith("/secrets")) secrets.set(`${url.pathname}/${written.metadata?.name}`, written);
    const pem = written.data?.["ca-cert.pem"];
    if (pem !== undefined) root.resolve(Buffer.from(pem, "base64").toString("utf8"));
    answer(response, 201, url.pathname.endsWith("/tokenreviews") ? reviewed(written) : written);
  });
  return {
    port: server.port,
    rootPem: root.promise,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function list(request: IncomingMessage, url: URL, response: ServerResponse): void {
  const [, group, version = "", resource = ""] =
    /^\/apis?\/(?:([^/]+)\/)?(v[^/]+)\/(?:namespaces\/[^/]+\/)?([^/]+)$/.exec(url.pathname) ?? [];
  if (url.searchParams.has("watch")) {
    // A watch that begins with what there is: the client then lists instead.
    if (url.searchParams.has("sendInitialEvents")) refuse(response, 422, "Invalid");
    else response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
  } else if (url.pathname === "/version") {
    answer(response, 200, { major: "1", minor: "36", gitVersion: "v1.36.0" });
  } else if (url.pathname === "/apis") {
    answer(response, 200, { kind: "APIGroupList", apiVersion: "v1", groups: [] });
  } else if (/as=PartialObjectMetadataList/.test(request.headers.accept ?? "")) {
    answer(response, 200, emptyList("PartialObjectMetadata", "meta.k8s.io/v1"));
  } else if (kinds[resource] === undefined) {
    refuse(response, 404, "NotFound");
  } else {
    answer(response, 200, emptyList(kinds[resource], group === undefined ? version : `${group}/${version}`));
  }
}

function emptyList(kind: string, apiVersion: string): object {
  return { kind: `${kind}List`, apiVersion, metadata: { resourceVersion: "1" }, items: [] };
}

function reviewed(review: KubernetesObject): object {
  const [, payload = ""] = (review.spec?.token ?? "").split(".");
  const { sub } = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as { sub: string };
  const user = { username: sub, groups: ["system:serviceaccounts"] };
  return { ...review, status: { authenticated: true, audiences: review.spec?.audiences, user } };
}

async function readObject(request: IncomingMessage): Promise<KubernetesObject> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk as string;
  return (text === "" ? {} : JSON.parse(text)) as KubernetesObject;
}

function refuse(response: ServerResponse, code: number, reason: string): void {
  answer(response, code, { kind: "Status", apiVersion: "v1", status: "Failure", reason, code });
}

function answer(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
}
