/** A finished bootstrap that needs no control plane: one listener that answers by itself. */

export interface StaticListener {
  readonly port: number;
  /** What it answers. */
  readonly body: string;
  readonly reusePort?: boolean;
  /** Fields laid over the listener. */
  readonly changes?: Readonly<Record<string, unknown>>;
}

const httpConnectionManager =
  "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

export function staticBootstrap(
  listeners: readonly StaticListener[],
  changes: Readonly<Record<string, unknown>> = {},
): string {
  return JSON.stringify(
    {
      node: { id: "test", cluster: "test" },
      static_resources: { listeners: listeners.map(staticListener) },
      ...changes,
    },
    undefined,
    1,
  );
}

function staticListener({ port, body, reusePort, changes }: StaticListener): object {
  return {
    name: `answer-${port}`,
    address: { socket_address: { address: "127.0.0.1", port_value: port } },
    ...(reusePort === undefined ? {} : { enable_reuse_port: reusePort }),
    filter_chains: [
      {
        filters: [
          {
            name: "http",
            typed_config: {
              "@type": httpConnectionManager,
              stat_prefix: "answer",
              route_config: {
                virtual_hosts: [
                  {
                    name: "all",
                    domains: ["*"],
                    routes: [
                      {
                        match: { prefix: "/" },
                        direct_response: { status: 200, body: { inline_string: body } },
                      },
                    ],
                  },
                ],
              },
              http_filters: [{ name: "router", typed_config: { "@type": router } }],
            },
          },
        ],
      },
    ],
    ...changes,
  };
}
