/** Rules, and requests to try against each of them: what is matched, rewritten, refused or answered differs in every set. */
import type { Request } from "../../src/ctl/explain/request.ts";
import { apiHost } from "./mesh-objects.ts";

/** Rules that are pushed together. */
export interface RuleSet {
  /** In the name of a route and of a policy, so that it can be seen where they have arrived. */
  readonly mark: string;
  readonly objects: readonly object[];
}

const to = (subset?: string): object => ({
  destination: { host: "api", ...(subset === undefined ? {} : { subset }) },
});

const routed = (match: object, ...targets: readonly object[]): object => ({
  match: [match],
  route: targets.length === 0 ? [to("v1")] : targets,
});

/** Each request has a connection of its own, so that none is decided by rules that have just been replaced. */
const destinationRule = {
  apiVersion: "networking.istio.io/v1",
  kind: "DestinationRule",
  metadata: { name: "api", namespace: "demo" },
  spec: {
    host: "api",
    trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 1 } } },
    subsets: [
      { name: "v1", labels: { version: "v1" } },
      { name: "v2", labels: { version: "v2" }, trafficPolicy: { tls: { mode: "DISABLE" } } },
      { name: "v3", labels: { version: "v3" } },
    ],
  },
};

function set(
  mark: string,
  http: readonly object[],
  action: "ALLOW" | "DENY",
  policy: readonly object[],
): RuleSet {
  const metadata = { namespace: "demo" };
  return {
    mark,
    objects: [
      destinationRule,
      {
        apiVersion: "networking.istio.io/v1",
        kind: "VirtualService",
        metadata: { name: "api", ...metadata },
        spec: {
          hosts: ["api"],
          http: [
            { name: mark, match: [{ uri: { exact: "/direct" } }], directResponse: { status: 299 } },
            ...http,
          ],
        },
      },
      {
        apiVersion: "security.istio.io/v1",
        kind: "AuthorizationPolicy",
        metadata: { name: mark, ...metadata },
        spec: { selector: { matchLabels: { app: "api" } }, action, rules: policy },
      },
    ],
  };
}

const operation = (fields: object): object => ({ to: [{ operation: fields }] });
const source = (fields: object): object => ({ from: [{ source: fields }] });
const web = "cluster.local/ns/demo/sa/web";

export const rules: readonly RuleSet[] = [
  set(
    "first",
    [
      routed({ uri: { prefix: "/items" }, headers: { "end-user": { exact: "jason" } } }, to("v2")),
      routed({ uri: { prefix: "/empty" } }, to("v3")),
      { route: [to("v1")] },
    ],
    "DENY",
    [operation({ methods: ["DELETE"] }), operation({ paths: ["/admin*"] })],
  ),
  set(
    "methods",
    [
      routed({ method: { exact: "POST" } }, to("v2")),
      { match: [{ uri: { regex: "/items/[0-9]+" } }], redirect: { uri: "/moved", redirectCode: 307 } },
      { match: [{ uri: { prefix: "/old" } }], rewrite: { uri: "/new" }, route: [to("v1")] },
      { route: [to("v1")] },
    ],
    "ALLOW",
    [operation({ paths: ["/new*", "*.html"] }), operation({ methods: ["GET"], notPaths: ["/admin*"] })],
  ),
  set(
    "headers",
    [
      routed({ headers: { "end-user": { regex: "j.*n" } }, withoutHeaders: { "x-beta": {} } }, to("v2")),
      routed({ headers: { "x-beta": {} } }, to("v3")),
      routed({ withoutHeaders: { "end-user": { prefix: "d" } }, uri: { prefix: "/admin" } }, to("v2")),
      { headers: { request: { set: { "x-by": "route" }, remove: ["x-secret"] } }, route: [to("v1")] },
    ],
    "ALLOW",
    [{ when: [{ key: "request.headers[x-by]", values: ["route"] }] }],
  ),
  set(
    "queries",
    [
      routed({ queryParams: { color: { exact: "blue" } } }, to("v2")),
      routed({ queryParams: { color: { regex: "r.d" } } }, to("v3")),
      routed({ uri: { prefix: "/ITEMS" }, ignoreUriCase: true }, to("v1")),
      { fault: { abort: { httpStatus: 418, percentage: { value: 100 } } }, route: [to("v1")] },
    ],
    "DENY",
    [{ ...source({ principals: [web] }), ...operation({ paths: ["/items/{*}"] }) }],
  ),
  set("nobody", [{ route: [to("v1")] }], "ALLOW", [
    source({ principals: ["cluster.local/ns/demo/sa/cart"] }),
  ]),
  set(
    "somebody",
    [
      {
        route: [
          { ...to("v1"), weight: 50 },
          { ...to("v2"), weight: 50 },
        ],
      },
    ],
    "ALLOW",
    [{ ...source({ namespaces: ["demo"] }), ...operation({ hosts: [apiHost], notMethods: ["DELETE"] }) }],
  ),
  set(
    "addresses",
    [
      routed({ authority: { prefix: "api.demo" }, uri: { exact: "/" } }, to("v2")),
      { timeout: "5s", route: [to("v1")] },
    ],
    "DENY",
    [
      { ...source({ ipBlocks: ["127.0.0.0/8"] }), ...operation({ paths: ["/items"] }) },
      { ...source({ notIpBlocks: ["127.0.0.0/8"] }) },
      { ...source({ remoteIpBlocks: ["10.9.0.0/16"] }) },
    ],
  ),
  set(
    "preflights",
    [
      {
        corsPolicy: { allowOrigins: [{ exact: "https://shop.example" }], allowMethods: ["GET"] },
        rewrite: { uriRegexRewrite: { match: "/old/(.*)", rewrite: "/new/\\1" } },
        route: [to("v1")],
      },
    ],
    "DENY",
    [operation({ methods: ["OPTIONS"] }), operation({ paths: ["/new/*"], notPaths: ["/new/x"] })],
  ),
  set(
    "templates",
    [
      routed({ uri: { exact: "/items" } }, to("v2")),
      { match: [{ uri: { prefix: "/admin" } }], redirect: { authority: "www.example", redirectCode: 302 } },
      { route: [to()] },
    ],
    "ALLOW",
    [operation({ paths: ["/items/{*}", "/{**}/new"] }), operation({ paths: ["/"], methods: ["GET"] })],
  ),
];

const request = (path: string, headers: Readonly<Record<string, string>> = {}, method = "GET"): Request => ({
  ...{ method, path, headers, authority: apiHost, scheme: "http" },
});

export const requests: readonly Request[] = [
  request("/"),
  request("/direct"),
  request("/items"),
  request("/items", { "end-user": "jason" }),
  request("/items/7"),
  request("/items/7x", { "end-user": "dora" }),
  request("/ITEMS/list"),
  request("/items/7/new"),
  request("/empty"),
  request("/admin"),
  request("/admin/../items/7"),
  request("/old/x"),
  request("/old/y"),
  request("/old/page.html", {}, "PUT"),
  request("/?color=blue"),
  request("/items?color=red"),
  request("/any?color=green&color=blue"),
  request("/", { "x-beta": "" }),
  request("/", { "x-beta": "1", "end-user": "jason" }),
  request("/items", {}, "POST"),
  request("/", {}, "DELETE"),
  request("/denied", { "end-user": "jason" }, "DELETE"),
  request("/", { origin: "https://shop.example", "access-control-request-method": "GET" }, "OPTIONS"),
  request("/", { origin: "https://other.example", "access-control-request-method": "GET" }, "OPTIONS"),
  request("/", { "x-forwarded-for": "10.9.1.2" }),
  { ...request("/items"), authority: "api.demo:80" },
  { ...request("/"), authority: "API.demo" },
  { ...request("/"), authority: "cart.demo" },
];
