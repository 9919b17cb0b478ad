/** Made objects of the Gateway API, for Gateways and services that are there as often as not. */
import type { Choice } from "./random-choice.ts";

const namespaces = ["demo", "demo", "demo", "shop"] as const;
const names = ["shop", "shop", "shop", "web"] as const;
const hosts = ["a.example.com", "*.example.com", "*.a.example.com", "b.example.com", "*.com"] as const;
const mutual = { "gateway.istio.io/tls-terminate-mode": "ISTIO_MUTUAL" };

/** None at all of some meshes. */
export function randomGatewayApi(choice: Choice): readonly object[] {
  const made = choice.list(0, 12, () =>
    choice.of(gateway, httpRoute, httpRoute, grpcRoute, tlsRoute, tcpRoute)(choice),
  );
  return made.map(({ kind, spec }, index) => ({
    apiVersion: `gateway.networking.k8s.io/${kind === "TLSRoute" || kind === "TCPRoute" ? "v1alpha2" : "v1"}`,
    kind,
    metadata: {
      name: kind === "Gateway" ? choice.of(...names) : `r${index}`,
      namespace: choice.of(...namespaces),
      creationTimestamp: choice.maybe(() => `2026-01-0${1 + choice.below(3)}T00:00:00Z`),
    },
    spec,
  }));
}

interface Made {
  readonly kind: string;
  readonly spec: object;
}

function gateway(choice: Choice): Made {
  const listener = (index: number): object => {
    const protocol = choice.of("HTTP", "HTTP", "HTTPS", "TLS", "TCP");
    const tls = protocol === "TLS" && choice.below(2) === 0 ? { mode: "Passthrough" } : { options: mutual };
    return {
      name: `l${index}`,
      port: choice.of(80, 81, 443, 15_021),
      protocol,
      hostname: protocol === "TCP" ? undefined : choice.maybe(() => choice.of(...hosts)),
      tls: protocol === "HTTPS" || protocol === "TLS" ? tls : undefined,
      allowedRoutes: choice.maybe(() => ({ namespaces: { from: choice.of("All", "All", "Same") } })),
    };
  };
  return {
    kind: "Gateway",
    spec: {
      gatewayClassName: choice.of("istio", "istio", "istio", "other"),
      listeners: choice.list(1, 4, () => 0).map((_, index) => listener(index)),
    },
  };
}

function parentRefs(choice: Choice): object[] {
  const refs = choice.list(1, 2, () => {
    const namespace = choice.of(undefined, ...namespaces);
    return choice.below(3) > 0
      ? { name: choice.of(...names), namespace, sectionName: choice.of(undefined, undefined, "l0") }
      : {
          group: "",
          kind: "Service",
          name: choice.of("api", "web"),
          namespace,
          port: choice.of(undefined, 80),
        };
  });
  return [...new Map(refs.map((ref) => [JSON.stringify(ref), ref])).values()];
}

const hostnames = (choice: Choice): string[] | undefined =>
  choice.maybe(() => [...new Set(choice.list(1, 3, () => choice.of(...hosts)))]);

function backendRefs(choice: Choice): object[] {
  return choice.list(1, 2, () => ({
    name: choice.of("api", "web", "nobody"),
    namespace: choice.of(undefined, undefined, "demo", "shop"),
    port: choice.of(80, 81, 443),
    weight: choice.of(undefined, 0, 3),
  }));
}

function httpRoute(choice: Choice): Made {
  const match = (): object => ({
    path: choice.of<object | undefined>(
      undefined,
      { value: "/a/" },
      { type: "Exact", value: "/a" },
      { type: "RegularExpression", value: "/a.*" },
    ),
    method: choice.of(undefined, "GET"),
    headers: choice.maybe(() => [{ name: "x-a", value: "1" }]),
  });
  const prefix = { type: "ReplacePrefixMatch", replacePrefixMatch: choice.of("/", "/b", "") };
  const rule = (): object =>
    choice.of<() => object>(
      () => ({ matches: choice.maybe(() => choice.list(1, 2, match)), backendRefs: backendRefs(choice) }),
      () => ({ backendRefs: backendRefs(choice), timeouts: { request: "1s" }, retry: { codes: [503] } }),
      () => ({
        matches: [{ path: { value: choice.of("/", "/c") } }],
        filters: [{ type: "URLRewrite", urlRewrite: { path: prefix } }],
        backendRefs: backendRefs(choice),
      }),
      () => ({ filters: [{ type: "RequestRedirect", requestRedirect: { path: prefix, scheme: "https" } }] }),
    )();
  return {
    kind: "HTTPRoute",
    spec: {
      parentRefs: parentRefs(choice),
      hostnames: hostnames(choice),
      rules: choice.list(0, 3, rule),
    },
  };
}

function grpcRoute(choice: Choice): Made {
  const method = (): object =>
    choice.of<object>({ service: "shop.Carts" }, { method: "Get" }, { service: "a", method: "B" });
  return {
    kind: "GRPCRoute",
    spec: {
      parentRefs: parentRefs(choice),
      hostnames: hostnames(choice),
      rules: [{ matches: choice.maybe(() => [{ method: method() }]), backendRefs: backendRefs(choice) }],
    },
  };
}

function tlsRoute(choice: Choice): Made {
  const rules = [{ backendRefs: backendRefs(choice) }];
  return { kind: "TLSRoute", spec: { parentRefs: parentRefs(choice), hostnames: hostnames(choice), rules } };
}

function tcpRoute(choice: Choice): Made {
  return {
    kind: "TCPRoute",
    spec: { parentRefs: parentRefs(choice), rules: [{ backendRefs: backendRefs(choice) }] },
  };
}
