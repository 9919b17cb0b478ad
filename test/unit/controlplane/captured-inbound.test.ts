import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type {
  ConfigObject,
  MutualTlsMode,
  PeerAuthenticationSpec,
} from "../../../src/controlplane/config/objects.ts";
import { buildModel } from "../../../src/controlplane/model/build-model.ts";
import type { Proxy } from "../../../src/controlplane/model/proxy.ts";
import { generateOwnListeners } from "../../../src/controlplane/networking/lds.ts";
import { pushedTypes } from "../../../src/controlplane/networking/pushed-types.ts";
import { viewOf } from "../../../src/controlplane/networking/view.ts";
import type { FilterChainJson } from "../../../src/proto/envoy/envoy/config/listener/v3/listener_components_pb.js";
import type { ListenerJson } from "../../../src/proto/envoy/envoy/config/listener/v3/listener_pb.js";

const declaredHttp = 8080;
const declaredTcp = 9000;
const undeclared = 7777;
const overridden = 7778;

const proxy: Proxy = {
  id: "sidecar~10.0.0.1~api-1.demo~demo.svc.cluster.local",
  addresses: ["10.0.0.1"],
  name: "api-1",
  namespace: "demo",
  idNamespace: "demo",
  labels: { app: "api" },
  serviceAccount: "api",
  interceptionMode: "REDIRECT",
  answersDns: false,
};

const service: ConfigObject = {
  kind: "ServiceEntry",
  namespace: "demo",
  name: "api",
  source: "api.yaml",
  line: 1,
  spec: {
    hosts: ["api.demo.svc.cluster.local"],
    addresses: undefined,
    location: "MESH_INTERNAL",
    resolution: "STATIC",
    ports: [
      { number: 80, name: "http", protocol: "HTTP", targetPort: declaredHttp },
      { number: 90, name: "tcp", protocol: "TCP", targetPort: declaredTcp },
    ],
    endpoints: [
      { address: "10.0.0.1", ports: undefined, labels: undefined, serviceAccount: "api", weight: undefined },
    ],
    workloadSelector: undefined,
  },
};

type Policy = Partial<PeerAuthenticationSpec> & { readonly namespace?: string };

function policy({ namespace = "demo", ...spec }: Policy, index: number): ConfigObject {
  return {
    kind: "PeerAuthentication",
    namespace,
    name: `policy-${index}`,
    source: "mtls.yaml",
    line: 1,
    spec: { selector: undefined, mtls: undefined, portLevelMtls: undefined, ...spec },
  };
}

function inboundListener(policies: readonly Policy[]): ListenerJson {
  const settings = { trustDomains: ["cluster.local"], rootNamespace: "istio-system" };
  const model = buildModel([service, ...policies.map(policy)], settings);
  const listener = generateOwnListeners(viewOf(model, proxy).workload).find(
    ({ name }) => name === "virtualInbound",
  );
  assert.ok(listener !== undefined);
  pushedTypes.listener.encode(listener);
  return listener;
}

interface Connection {
  readonly port: number;
  readonly transport: "raw_buffer" | "tls";
  readonly alpn?: string;
}

/** What Envoy knows of a connection to a port at which it does not look for TLS. */
function seen({ listenerFilters = [] }: ListenerJson, connection: Connection): Connection {
  const disabled = listenerFilters.find(({ name }) => name?.includes("tls_inspector"))?.filterDisabled;
  const rules = disabled?.orMatch?.rules ?? (disabled === undefined ? [] : [disabled]);
  const isUnseen = rules.some(
    ({ destinationPortRange: range }) =>
      range !== undefined && connection.port >= (range.start ?? 0) && connection.port < (range.end ?? 0),
  );
  return isUnseen ? { port: connection.port, transport: "raw_buffer" } : connection;
}

/** As Envoy chooses: by port, then transport, then application protocol; what fits closer shuts the others out. */
function chainOf(listener: ListenerJson, call: Connection): FilterChainJson | undefined {
  const { filterChains = [] } = listener;
  const connection = seen(listener, call);
  const narrow = (
    chains: readonly FilterChainJson[],
    says: (chain: FilterChainJson) => boolean,
    fits: (chain: FilterChainJson) => boolean,
  ): readonly FilterChainJson[] => {
    const closer = chains.filter((chain) => says(chain) && fits(chain));
    return closer.length > 0 ? closer : chains.filter((chain) => !says(chain));
  };
  const match = (chain: FilterChainJson) => chain.filterChainMatch ?? {};
  const byPort = narrow(
    filterChains,
    (chain) => match(chain).destinationPort !== undefined,
    (chain) => match(chain).destinationPort === connection.port,
  );
  const byTransport = narrow(
    byPort,
    (chain) => match(chain).transportProtocol !== undefined,
    (chain) => match(chain).transportProtocol === connection.transport,
  );
  const [chain, ...others] = narrow(
    byTransport,
    (each) => match(each).applicationProtocols !== undefined,
    (each) => match(each).applicationProtocols?.includes(connection.alpn ?? "") === true,
  );
  assert.deepEqual(others, [], "two chains fit the same connection");
  return chain;
}

/** What becomes of a connection. */
function fate(listener: ListenerJson, connection: Connection): "closed" | "mutual TLS" | "as it is" {
  const chain = chainOf(listener, connection);
  if (chain === undefined) return "closed";
  return chain.transportSocket === undefined ? "as it is" : "mutual TLS";
}

const plain = { transport: "raw_buffer" } as const;
const mesh = { transport: "tls", alpn: "istio" } as const;
const foreign = { transport: "tls", alpn: "http/1.1" } as const;

type Fates = readonly [plain: string, mesh: string, foreign: string];

const fatesOf: Readonly<Record<MutualTlsMode, Fates>> = {
  STRICT: ["closed", "mutual TLS", "mutual TLS"],
  PERMISSIVE: ["as it is", "mutual TLS", "as it is"],
  DISABLE: ["as it is", "as it is", "as it is"],
};

const api = { matchLabels: { app: "api" } };

describe("a captured connection to a port that nothing declares, and one to a TCP port that something does", () => {
  const cases: readonly [
    what: string,
    policies: readonly Policy[],
    mode: MutualTlsMode,
    atOverridden?: MutualTlsMode,
  ][] = [
    ["without a policy", [], "PERMISSIVE"],
    ["STRICT in the mesh", [{ namespace: "istio-system", mtls: { mode: "STRICT" } }], "STRICT"],
    ["STRICT in the namespace", [{ mtls: { mode: "STRICT" } }], "STRICT"],
    ["STRICT for the workload", [{ selector: api, mtls: { mode: "STRICT" } }], "STRICT"],
    [
      "STRICT for another workload",
      [{ selector: { matchLabels: { app: "web" } }, mtls: { mode: "STRICT" } }],
      "PERMISSIVE",
    ],
    ["STRICT in another namespace", [{ namespace: "other", mtls: { mode: "STRICT" } }], "PERMISSIVE"],
    [
      "the namespace over the mesh",
      [{ namespace: "istio-system", mtls: { mode: "STRICT" } }, { mtls: { mode: "DISABLE" } }],
      "DISABLE",
    ],
    [
      "UNSET leaves it to the mesh",
      [{ namespace: "istio-system", mtls: { mode: "STRICT" } }, { mtls: { mode: "UNSET" } }],
      "STRICT",
    ],
    ["PERMISSIVE", [{ mtls: { mode: "PERMISSIVE" } }], "PERMISSIVE"],
    ["DISABLE", [{ mtls: { mode: "DISABLE" } }], "DISABLE"],
    [
      "STRICT but for one port",
      [{ selector: api, mtls: { mode: "STRICT" }, portLevelMtls: { [overridden]: { mode: "DISABLE" } } }],
      "STRICT",
      "DISABLE",
    ],
    [
      "STRICT for one port only",
      [{ selector: api, portLevelMtls: { [overridden]: { mode: "STRICT" } } }],
      "PERMISSIVE",
      "STRICT",
    ],
    [
      "UNSET for one port",
      [{ selector: api, mtls: { mode: "STRICT" }, portLevelMtls: { [overridden]: { mode: "UNSET" } } }],
      "STRICT",
    ],
  ];
  for (const [what, policies, mode, atOverridden = mode] of cases) {
    test(`${what}: ${mode}`, () => {
      const listener = inboundListener(policies);
      const fates = (port: number): Fates => [
        fate(listener, { port, ...plain }),
        fate(listener, { port, ...mesh }),
        fate(listener, { port, ...foreign }),
      ];
      assert.deepEqual(fates(undeclared), fatesOf[mode]);
      assert.deepEqual(fates(overridden), fatesOf[atOverridden]);
      assert.deepEqual(fates(declaredTcp), fatesOf[mode]);
    });
  }

  test("leads where the connection was going, and never back to the listener", () => {
    const listener = inboundListener([]);
    const target = (connection: Connection): unknown =>
      (chainOf(listener, connection)?.filters?.[0]?.typedConfig as { cluster?: string } | undefined)?.cluster;
    for (const kind of [plain, mesh, foreign])
      assert.equal(target({ port: undeclared, ...kind }), "InboundPassthroughCluster");
    assert.equal(target({ port: 15_006, ...plain }), "BlackHoleCluster");
  });
});

test("under STRICT no port takes plain text, whatever is declared", () => {
  const listener = inboundListener([{ mtls: { mode: "STRICT" } }]);
  const taking = Array.from({ length: 65_535 }, (_, index) => index + 1).filter(
    (port) => port !== 15_006 && fate(listener, { port, ...plain }) !== "closed",
  );
  assert.equal(taking.length, 0, `${taking.length} ports do, the first of which is ${taking[0] ?? ""}`);
  assert.equal(fate(listener, { port: declaredHttp, ...mesh }), "mutual TLS");
});
