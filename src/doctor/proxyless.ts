/**
 * An agent without Envoy: what a proxyless gRPC application gets from it.
 */
import { type Finding, ok, warning } from "./finding.ts";
import type { Check } from "./run-checks.ts";
import type { Subject } from "./subject.ts";

const name = "proxyless";

/** What decides. */
export interface ProxylessFacts {
  /** Where the bootstrap of gRPC goes; undefined writes none. */
  readonly bootstrapPath: string | undefined;
  /** Where the certificates go; undefined writes none. */
  readonly certificates: string | undefined;
}

/** What is written, and what is not. */
export function judgeProxyless({ bootstrapPath, certificates }: ProxylessFacts): readonly Finding[] {
  const begin = "DISABLE_ENVOY is on: no Envoy runs";
  return [
    bootstrapPath === undefined
      ? warning(
          name,
          `${begin}, and gRPC gets no bootstrap`,
          "set GRPC_XDS_BOOTSTRAP to the file that gRPC reads",
        )
      : ok(name, `${begin}; gRPC gets its bootstrap in ${bootstrapPath}`),
    ...(certificates === undefined
      ? [
          warning(
            name,
            "gRPC gets no certificates: its traffic is in the clear",
            "set OUTPUT_CERTS to a folder that the application reads too",
          ),
        ]
      : [ok(name, `gRPC gets its certificates in ${certificates}`)]),
  ];
}

/** Nothing to say of a configuration that cannot be used. */
export function proxylessChecks({ config }: Subject): readonly Check[] {
  const { proxyless, outputCerts } = config ?? {};
  if (proxyless === undefined) return [];
  const facts = { bootstrapPath: proxyless.bootstrapPath, certificates: outputCerts?.folder };
  return [{ name, run: () => judgeProxyless(facts) }];
}
