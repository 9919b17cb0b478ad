/**
 * `outrider discovery`: the control plane.
 */
import { portsOrNone, someDuration } from "../schema/range.ts";
import { join } from "node:path";
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { logFlags } from "./log-flags.ts";

/** Exit code of a configuration that cannot be used. */
const unusable = 64;

/** Runs until it is asked to stop. */
export const discoveryCommand: Command = {
  name: "discovery",
  describe: "Run the control plane: discovery and certificate authority for a folder of Istio YAML.",
  flags: {
    configDir: {
      type: "string",
      default: "./mesh",
      describe: "Folder of Istio YAML; changes are picked up.",
    },
    stateDir: {
      type: "string",
      default: "./.outrider",
      describe: "Folder of the self-signed root and the demo token key (made with mode 0700).",
    },
    trustDomain: { type: "string", default: "cluster.local", describe: "SPIFFE trust domain." },
    trustDomainAliases: {
      type: "string",
      default: "",
      describe:
        "Trust domains whose identities are accepted as the mesh's own, comma-separated: the old and the new one of a migration.",
    },
    host: {
      type: "string",
      default: "127.0.0.1",
      describe: "Address that the ports listen on, but for the one in plain text.",
    },
    secureGrpcPort: {
      type: "number",
      range: portsOrNone,
      default: 15012,
      describe: "Port of discovery and CA over TLS.",
    },
    grpcPort: {
      type: "number",
      range: portsOrNone,
      default: 15010,
      describe: "Port of discovery in plain text, without authentication; see --plainGrpc.",
    },
    plainGrpc: {
      type: "string",
      default: "loopback",
      describe:
        "Who reaches the port in plain text: loopback, host (whoever reaches --host, who then reads what any proxy is told), or off. Nobody changes anything there: reports of health are taken on the port with TLS only.",
    },
    httpPort: {
      type: "number",
      range: portsOrNone,
      default: 8080,
      describe: "Port of /ready and /metrics, and of /debug for loopback.",
    },
    rootCaDir: {
      type: "string",
      describe: "Folder of a plugged-in CA: ca-cert.pem, ca-key.pem, cert-chain.pem, root-cert.pem.",
    },
    jwksFile: { type: "string", describe: "JWKS that tokens are checked against (default: the demo key's)." },
    jwtIssuer: { type: "string", describe: "Issuer that tokens must have (default: the demo issuer)." },
    proxyBinding: {
      type: "string",
      default: "identity",
      describe:
        "What a proxy must be besides what it says: identity takes namespace, service account and pod from its token, and believes labels and addresses; workload also demands a WorkloadEntry or endpoint of that identity in the folder, and takes labels and addresses from there.",
    },
    trustProxyAddresses: {
      type: "boolean",
      default: false,
      describe:
        "Take reports of health for any address that a proxy says it has, not only for the one that it connects from: for proxies behind NAT.",
    },
    tokenAudiences: { type: "string", default: "istio-ca", describe: "Accepted audiences, comma-separated." },
    defaultWorkloadTtl: {
      type: "string",
      range: someDuration,
      default: "24h",
      describe: "Certificate lifetime when none is asked for.",
    },
    maxWorkloadTtl: {
      type: "string",
      range: someDuration,
      default: "2160h",
      describe: "Longest certificate lifetime.",
    },
    ...logFlags,
  },
  run: runDiscovery,
};

async function runDiscovery(args: Arguments, given: CommandContext): Promise<number> {
  const [
    { DiscoveryServer },
    { readDiscoveryOptions },
    { ConfigError, describeProblem },
    { openLog },
    { privateContext },
    { errorMessage },
    { aborted },
  ] = await Promise.all([
    import("../controlplane/discovery-server.ts"),
    import("./discovery-options.ts"),
    import("../schema/config-problem.ts"),
    import("./open-log.ts"),
    import("./private-context.ts"),
    import("../lifecycle/error-message.ts"),
    import("../lifecycle/sleep.ts"),
  ]);
  const { context, redactor } = privateContext(given);
  try {
    const { options, log: logConfig } = await readDiscoveryOptions(args);
    const { log } = openLog(logConfig, context.standard, redactor);
    await using server = await DiscoveryServer.listen(options, { log });
    log.info("control plane is up", {
      ...server.ports,
      configDir: options.configFolder,
      rootCertificate: join(options.stateDir, "root-cert.pem"),
    });
    await aborted(context.shutdown);
    log.info("control plane stops");
    return 0;
  } catch (error) {
    context.printError("outrider cannot run the control plane:");
    const lines =
      error instanceof ConfigError ? error.problems.map(describeProblem) : errorMessage(error).split("\n");
    for (const line of lines) context.printError(`  ${line}`);
    return unusable;
  }
}
