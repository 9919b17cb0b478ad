/** Ten kinds of newcomer that cannot take over, and what is said of each. */
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { directResponseListener, edsCluster, grpcCluster } from "./envoy-config.ts";
import { PlainEnvoy } from "./plain-envoy.ts";
import type { ScriptedEnvoy } from "./scripted-envoy.ts";
import { silentServer } from "./silent-server.ts";
import type { StandaloneSidecar } from "./standalone-sidecar.ts";

export interface BadNewcomerContext {
  readonly sidecar: StandaloneSidecar;
  readonly envoy: ScriptedEnvoy;
  /** A port of loopback that is free until the newcomer is made. */
  readonly sparePort: number;
  /** Disposed of when the test of one kind ends. */
  readonly stack: AsyncDisposableStack;
}

export interface BadNewcomer {
  readonly name: string;
  /** Put it in place; a reload follows. */
  readonly prepare: (context: BadNewcomerContext) => Promise<void> | void;
  /** What the answer to the reload says, by mode when they differ. Undefined: this mode does not mind. */
  readonly says: { readonly overlap: RegExp | undefined; readonly hot: RegExp };
}

function inBoth(message: RegExp): BadNewcomer["says"] {
  return { overlap: message, hot: message };
}

/** The sidecar's own listener and this one. */
function withListener({ sidecar }: BadNewcomerContext, listener: object): void {
  sidecar.write({ listeners: [directResponseListener({ port: sidecar.trafficPort }), listener] });
}

export const badNewcomers: readonly BadNewcomer[] = [
  {
    name: "an invalid field",
    prepare: (context) => {
      withListener(context, {
        ...directResponseListener({ port: context.sparePort }),
        per_connection_buffer_limit_bytes: "plenty",
      });
    },
    says: inBoth(/refuses the bootstrap.*per_connection_buffer_limit_bytes.*plenty/),
  },
  {
    name: "an unknown extension",
    prepare: (context) => {
      withListener(
        context,
        directResponseListener({
          port: context.sparePort,
          name: "odd",
          transportSocket: {
            name: "odd",
            typed_config: { "@type": "type.googleapis.com/envoy.extensions.transport_sockets.odd.v3.Odd" },
          },
        }),
      );
    },
    says: inBoth(/refuses the bootstrap.*odd\.v3\.Odd/),
  },
  {
    name: "a port taken by a foreign socket",
    prepare: async (context) => {
      const server = createServer((socket) => socket.destroy());
      await new Promise<void>((resolve) => {
        server.listen(context.sparePort, "127.0.0.1", resolve);
      });
      context.stack.defer(() => {
        server.close();
      });
      withListener(context, directResponseListener({ port: context.sparePort, name: "more" }));
    },
    says: inBoth(new RegExp(`pid ${process.pid}\\b`)),
  },
  {
    name: "a port taken by another Envoy of the same user",
    prepare: async (context) => {
      const folder = join(context.sidecar.folder, "stranger");
      const stranger = context.stack.use(
        await PlainEnvoy.start({
          folder,
          adminPath: join(folder, "admin.sock"),
          bootstrap: {
            static_resources: { listeners: [directResponseListener({ port: context.sparePort })] },
          },
        }),
      );
      await stranger.reaches("LIVE");
      withListener(context, directResponseListener({ port: context.sparePort, name: "more" }));
    },
    says: inBoth(/envoy.*pid \d+|pid \d+.*envoy/i),
  },
  {
    name: "a missing certificate",
    prepare: (context) => {
      const tls = {
        name: "envoy.transport_sockets.tls",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
          common_tls_context: {
            tls_certificates: [
              {
                certificate_chain: { filename: "/nowhere/cert.pem" },
                private_key: { filename: "/nowhere/key.pem" },
              },
            ],
          },
        },
      };
      withListener(
        context,
        directResponseListener({ port: context.sparePort, name: "tls", transportSocket: tls }),
      );
    },
    says: inBoth(/refuses the bootstrap.*\/nowhere\/(cert|key)\.pem/),
  },
  {
    name: "an end with an error while it starts, which no validation foresees",
    prepare: (context) => {
      withListener(
        context,
        directResponseListener({ port: context.sparePort, name: "far", address: "192.0.2.1" }),
      );
    },
    says: inBoth(/new generation has ended: .*192\.0\.2\.1:\d+.*Cannot assign requested address/),
  },
  {
    name: "a crash while it starts",
    prepare: ({ envoy }) => {
      envoy.become("crash");
    },
    says: inBoth(/new generation .*SIGSEGV/),
  },
  {
    name: "never LIVE",
    prepare: async ({ sidecar, stack }) => {
      const silent = stack.use(await silentServer());
      sidecar.write({ clusters: [grpcCluster("silent", silent.port), edsCluster("waits", "silent")] });
    },
    says: inBoth(/not LIVE after 2000 ms/),
  },
  {
    name: "a wrong binary that ends well at once",
    prepare: ({ envoy }) => {
      envoy.become("another-program");
    },
    says: { overlap: /new generation has ended: .*exit code 0/, hot: /hot restart version/ },
  },
  {
    name: "a wrong binary that cannot be run",
    prepare: ({ envoy }) => {
      envoy.become("not-executable");
    },
    says: inBoth(/is no program that this machine can run/),
  },
  {
    name: "a configuration file that is gone",
    prepare: ({ sidecar }) => {
      rmSync(sidecar.bootstrapPath);
    },
    says: inBoth(/bootstrap\.json does not exist/),
  },
  {
    name: "a configuration file that is no YAML",
    prepare: ({ sidecar }) => {
      sidecar.writeText("node: {id: [");
    },
    says: inBoth(/bootstrap\.json/),
  },
  {
    name: "another hot restart version",
    prepare: ({ envoy }) => {
      envoy.become("other-version");
    },
    says: { overlap: undefined, hot: /hot restart versions differ: 11\.\d+ and 99\.1/ },
  },
];
