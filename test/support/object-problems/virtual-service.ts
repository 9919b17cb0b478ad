/** What can be wrong with a VirtualService. */
import { absent } from "../istio-objects.ts";
import {
  duration,
  host,
  missing,
  notAList,
  notAMapping,
  notText,
  port,
  subset,
  unique,
  weight,
  type ProblemRow,
} from "./words.ts";

const oneCondition = "needs exactly one of exact, prefix and regex";

export const virtualServiceProblems: readonly ProblemRow[] = [
  ["spec.gateways", ["a/b/c"], 'spec.gateways[0]: must be "mesh", or a Gateway as name or namespace/name'],
  ["spec.hosts", ["*"], "* is for gateways only: name the hosts, or the gateways"],
  ["spec.http", absent, "spec: needs at least one of http, tcp and tls"],
  ["spec.http", [], "spec: needs at least one of http, tcp and tls"],
  ["spec.http[0]", null, notAMapping],
  ["spec.http[0].name", "", notText],
  ["spec.http[0].match", {}, notAList],
  ["spec.http[0].match[0].name", 1, notText],
  ["spec.http[0].match[0].uri", "/", notAMapping],
  ["spec.http[0].match[0].uri", {}, oneCondition],
  ["spec.http[0].match[0].uri", { exact: "/a", prefix: "/" }, oneCondition],
  ["spec.http[0].match[0].uri.prefix", "", notText],
  ["spec.http[0].match[0].uri.exact", 1, notText],
  [
    "spec.http[0].match[0].uri.regex",
    "(?=a)",
    "must be a regular expression in RE2's syntax, of a program of at most 32768 steps",
  ],
  ["spec.http[0].match[0].method", {}, oneCondition],
  ["spec.http[0].match[0].method.exact", [], notText],
  ["spec.http[0].match[0].method.exact", "on", "on is true or false to Kubernetes: put it in quotes"],
  ["spec.http[0].match[0].authority", {}, oneCondition],
  ["spec.http[0].match[0].authority.exact", null, notText],
  ["spec.http[0].match[0].headers", "x-user", notAMapping],
  ["spec.http[0].match[0].headers.x-user", { exact: "a", prefix: "a" }, oneCondition],
  ["spec.http[0].match[0].headers.x user", { exact: "a" }, "must be the name of a header"],
  ["spec.http[0].match[0].ignoreUriCase", "yes", "must be true or false"],
  ["spec.http[0].match[0].queryParam", {}, "is not known here: did you mean queryParams?"],
  ["spec.http[0].route", absent, "is missing: or give a redirect, a directResponse or a delegate"],
  ["spec.http[0].route", [], "is missing: or give a redirect, a directResponse or a delegate"],
  [
    "spec.http[0].redirect",
    { uri: "/b" },
    "spec.http[0]: may have only one of route, redirect and directResponse",
  ],
  ["spec.http[0].rewrite", {}, "needs a uri, an authority or a uriRegexRewrite"],
  ["spec.http[0].fault", {}, "needs a delay or an abort"],
  [
    "spec.http[0].fault",
    { abort: {} },
    "spec.http[0].fault.abort: needs exactly one of httpStatus and grpcStatus",
  ],
  [
    "spec.http[0].headers",
    { request: { remove: ["Host"] } },
    "spec.http[0].headers.request: Host cannot be changed: use rewrite",
  ],
  ["spec.http[0].route[0].destination", absent, missing],
  ["spec.http[0].route[0].destination.host", absent, missing],
  ["spec.http[0].route[0].destination.host", "a..b", host],
  ["spec.http[0].route[0].destination.subset", "v 1", subset],
  ["spec.http[0].route[0].destination.port", 80, notAMapping],
  ["spec.http[0].route[0].destination.port.number", 0, port],
  ["spec.http[0].route[0].weight", -1, weight],
  [
    "spec.http[0].route",
    [1, 2].map(() => ({ destination: { host: "a" }, weight: 0 })),
    "has weights that add up to 0: give at least one destination a weight",
  ],
  [
    "spec.http[0].route",
    [1, 2].map(() => ({ destination: { host: "a" } })),
    "has weights that add up to 0: give at least one destination a weight",
  ],
  [
    "spec.http[0].route",
    Array.from({ length: 4_295 }, () => ({ destination: { host: "a" }, weight: 1_000_000 })),
    "has weights that add up to more than 4294967295: divide all of them",
  ],
  ["spec.http[0].timeout", 5, duration],
  ["spec.http[0].timeout", "5", duration],
  ["spec.http[0].timeout", "0s", duration],
  ["spec.http[0].timeout", "1.2345ms", duration],
  ["spec.hosts", ["a.example.com", "a.example.com"], `spec.hosts[1]: ${unique("a.example.com")}`],
  ...[
    ["shop.example.com", "*.example.com"],
    ["*.example.com", "shop.example.com"],
    ["*.com", "*.example.com"],
  ].map(([one = "", other = ""]): ProblemRow => [
    "spec.hosts",
    [one, other],
    `spec.hosts[1]: ${other} overlaps with ${one}: keep one of them, or give each a VirtualService of its own`,
  ]),
  [
    "spec.tls",
    [
      {
        match: [{ sniHosts: ["b.example.com", "*.example.com"] }],
        route: [{ destination: { host: "a" } }],
      },
    ],
    ...["b.example.com", "*.example.com"].map(
      (name, index) =>
        `spec.tls[0].match[0].sniHosts[${index}]: ${name} is none of the hosts of this VirtualService (api.demo): add it to spec.hosts`,
    ),
  ],
  [
    "spec.http[0]",
    { redirect: { redirectCode: 302 } },
    "spec.http[0].redirect: leads nowhere else: give it a uri, a prefixRewrite, an authority, a scheme or a port",
  ],
  [
    "spec.http[0].retries",
    { retryOn: "5xx" },
    "spec.http[0].retries.attempts: is 0, which switches retries off: set it, or remove the rest",
  ],
  ...["503, 429", "499", "5xx,"].map((retryOn): ProblemRow => [
    "spec.http[0].retries",
    { attempts: 1, retryOn },
    "spec.http[0].retries.retryOn: must be conditions of Envoy's retry_on, or numbers of statuses, divided by commas alone",
  ]),
  [
    "spec.http[0].retries",
    { attempts: 3, retryOn: "sometimes" },
    "spec.http[0].retries.retryOn: must be conditions of Envoy's retry_on, or numbers of statuses, divided by commas alone",
  ],
  ["spec.http[0].delegate", { name: "a" }, "does not go with a route, a redirect or a directResponse"],
  [
    "spec.http[0].delegate",
    { name: "A" },
    "spec.http[0].delegate.name: must be the name of a VirtualService",
  ],
  ["spec.http[0].delegated", {}, "is not known here: did you mean delegate?"],
];
