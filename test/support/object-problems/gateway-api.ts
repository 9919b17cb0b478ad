/** What can be wrong with objects of the Gateway API, and with a Namespace. */
import { absent } from "../istio-objects.ts";
import { known, missing, one, port, type ProblemRow, unique, weight } from "./words.ts";

const hostname = "must be a host name such as shop.example.com or *.example.com";
const oddPath = "must be a path without ?, #, // and parts that are . or .., and without %2F";
const re2 = "must be a regular expression in RE2's syntax, of a program of at most 32768 steps";

export const gatewayApiProblems = {
  KubernetesGateway: [
    ["apiVersion", "gateway.networking.k8s.io/v2", "must be gateway.networking.k8s.io/v1 for a Gateway"],
    ["spec.gatewayClassName", absent, missing],
    ["spec.listeners", absent, missing],
    ["spec.listeners", [], one],
    ["spec.listeners[1].name", "https", unique("https")],
    [
      "spec.listeners[0].protocol",
      "example.com/foo/bar",
      "must be a protocol such as HTTP, or one with a domain, such as example.com/foo",
    ],
    [
      "spec.listeners[0].protocol",
      "UDP",
      "spec.listeners[0].hostname: does not go with UDP, which has no names",
      "spec.listeners[0].tls: does not go with UDP: set the protocol to HTTPS or TLS",
    ],
    ["spec.listeners[0].port", 0, port],
    ["spec.listeners[0].hostname", "*", hostname],
    ["spec.listeners[0].hostname", "10.0.0.1", hostname],
    ["spec.listeners[1].hostname", "a.example.com", "does not go with TCP, which has no names"],
    [
      "spec.listeners[1].tls",
      { mode: "Passthrough" },
      "does not go with TCP: set the protocol to HTTPS or TLS",
    ],
    ["spec.listeners[0].tls.mode", "Passthrough", "must be Terminate for HTTPS: set the protocol to TLS"],
    ["spec.listeners[1].protocol", "TLS", "spec.listeners[1].tls: is missing, which a listener of TLS needs"],
    [
      "spec.listeners[0].tls",
      { mode: "Terminate" },
      "spec.listeners[0].tls.certificateRefs: is missing, which TLS that ends at the gateway needs",
    ],
    [
      "spec.listeners[0].tls.options",
      { "gateway.istio.io/tls-terminate-mode": "SIMPLE", "example.com/a": "b" },
      "spec.listeners[0].tls.options.gateway.istio.io/tls-terminate-mode: must be one of MUTUAL, OPTIONAL_MUTUAL, ISTIO_MUTUAL",
      "spec.listeners[0].tls.options.example.com/a: has no effect: this control plane does not act on it",
    ],
    ["spec.listeners[0].allowedRoutes.namespaces.from", "Any", "must be one of Same, All, Selector"],
    ["spec.listeners[0].allowedRoutes.namespaces.selector", absent, "is missing, which from: Selector needs"],
    [
      "spec.listeners[0].allowedRoutes.namespaces.selector.matchExpressions[0].values",
      absent,
      "is missing, which In needs",
    ],
    [
      "spec.listeners[0].allowedRoutes.namespaces.selector.matchExpressions[0].operator",
      "Exists",
      "spec.listeners[0].allowedRoutes.namespaces.selector.matchExpressions[0].values: does not go with Exists",
    ],
    ["spec.tls", {}, known("gatewayClassName", "listeners", "addresses", "infrastructure")],
  ],
  GatewayClass: [
    ["apiVersion", "v1", "must be gateway.networking.k8s.io/v1 for a GatewayClass"],
    ["spec.controllerName", absent, missing],
  ],
  HTTPRoute: [
    ["spec.parentRefs[0].name", absent, missing],
    ["spec.parentRefs", [{ name: "a" }, { name: "a" }], `spec.parentRefs[1]: ${unique("a")}`],
    ["spec.hostnames[0]", "shop.example.com.", hostname],
    ["spec.rules[0].matches[0].path.value", "a", "must begin with a slash"],
    ["spec.rules[0].matches[0].path.value", "/a/../b", oddPath],
    ["spec.rules[0].matches[0].path.value", "/a//b", oddPath],
    ["spec.rules[0].matches[0].path.value", "/a?b", oddPath],
    [
      "spec.rules[0].matches[0]",
      { path: { type: "RegularExpression", value: "(a" } },
      `spec.rules[0].matches[0].path.value: ${re2}`,
      "spec.rules[0].filters[3]: replaces a prefix: the rule needs exactly one match, of a PathPrefix",
    ],
    ["spec.rules[0].matches[0].queryParams[0].value", "(a", re2],
    [
      "spec.rules[0].matches[0].method",
      "get",
      "must be one of GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE, PATCH",
    ],
    [
      "spec.rules[0].filters[0]",
      { type: "URLRewrite", requestHeaderModifier: {} },
      "spec.rules[0].filters: has a filter of one type twice, of which one counts: make them one",
      "spec.rules[0].filters[0].urlRewrite: is missing, which URLRewrite needs",
      "spec.rules[0].filters[0].requestHeaderModifier: does not go with the type URLRewrite",
    ],
    [
      "spec.rules[0].filters[0].requestHeaderModifier.remove",
      [":path"],
      "spec.rules[0].filters[0].requestHeaderModifier: :path cannot be changed: use URLRewrite",
    ],
    [
      "spec.rules[0].filters[2].requestMirror.fraction",
      { numerator: 2, denominator: 1 },
      "and percent exclude each other: keep one of them",
      "is more than the whole",
    ],
    [
      "spec.rules[0].filters[2].requestMirror.backendRef.port",
      absent,
      "spec.rules[0].filters[2].requestMirror.backendRef[0].port: is missing, which a Service needs",
    ],
    [
      "spec.rules[0].filters[3].urlRewrite.path.type",
      "ReplaceFullPath",
      "spec.rules[0].filters[3].urlRewrite.path.replaceFullPath: is missing, which ReplaceFullPath needs",
      "spec.rules[0].filters[3].urlRewrite.path.replacePrefixMatch: does not go with ReplaceFullPath",
    ],
    [
      "spec.rules[0].filters[4].cors.allowOrigins[0]",
      "shop",
      'must be an origin such as https://shop.example.com, whose host may begin with a wildcard, or "*"',
    ],
    ["spec.rules[1].filters[0].requestRedirect.statusCode", 304, "304 is none of 301, 302, 303, 307 and 308"],
    [
      "spec.rules[1].backendRefs",
      [{ name: "api", port: 80 }],
      "does not go with RequestRedirect, which answers the request",
    ],
    ["spec.rules[0].backendRefs[0].port", absent, "is missing, which a Service needs"],
    ["spec.rules[0].timeouts.backendRequest", "11s", "must not be longer than request"],
    ["spec.rules[0].retry.codes[0]", 200, "must be a whole number from 400 to 599"],
    [
      "spec.rules[0].sessionPersistence",
      {},
      known("name", "matches", "filters", "backendRefs", "timeouts", "retry"),
    ],
  ],
  GRPCRoute: [
    ["spec.rules[0].matches[0].method", {}, "needs a service or a method"],
    ["spec.rules[0].matches[0].method.service", "a/b", "is no name of a service in gRPC"],
    [
      "spec.rules[0].matches[0].method",
      { type: "RegularExpression", method: "(a" },
      `spec.rules[0].matches[0].method.method: ${re2}`,
    ],
    [
      "spec.rules[0].filters[0].type",
      "URLRewrite",
      "must be one of RequestHeaderModifier, ResponseHeaderModifier, RequestMirror, ExtensionRef",
    ],
  ],
  TLSRoute: [
    ["spec.rules", absent, missing],
    ["spec.rules[0].backendRefs", [], one],
    ["spec.rules[0].backendRefs[0].port", absent, "is missing, which a Service needs"],
  ],
  TCPRoute: [
    ["spec.hostnames", [], known("parentRefs", "rules")],
    ["spec.rules[0].backendRefs[0].weight", 1_000_001, weight],
  ],
  ReferenceGrant: [
    ["spec.from[0].namespace", absent, missing],
    ["spec.to[0].group", "A b", "must be an API group, or nothing for Kubernetes' own"],
  ],
  Namespace: [["apiVersion", "v2", "must be v1 for a Namespace"]],
} satisfies Readonly<Record<string, readonly ProblemRow[]>>;
