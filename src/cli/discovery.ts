/**
 * `outrider discovery`: the control plane.
 */
import { join } from "node:path";
import type { Arguments, Command, CommandContext } from "./command.ts";

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
    host: { type: "string", default: "127.0.0.1", describe: "Address that every port listens on." },
    secureGrpcPort: { type: "number", default: 15012, describe: "Port of discovery and CA over TLS." },
    grpcPort: {
      type: "number",
      default: 15010,
      describe: "Port of discovery in plain text, without authentication.",
    },
    httpPort: { type: "number", default: 8080, describe: "Port of /ready, /metrics and /debug." },
    rootCaDir: {
      type: "string",
      describe: "Folder of a plugged-in CA: ca-cert.pem, ca-key.pem, cert-chain.pem, root-cert.pem.",
    },
    jwksFile: { type: "string", describe: "JWKS that tokens are checked against (default: the demo key's)." },
    jwtIssuer: { type: "string", describe: "Issuer that tokens must have (default: the demo issuer)." },
    tokenAudiences: { type: "string", default: "istio-ca", describe: "Accepted audiences, comma-separated." },
    defaultWorkloadTtl: {
      type: "string",
      default: "24h",
      describe: "Certificate lifetime when none is asked for.",
    },
    maxWorkloadTtl: { type: "string", default: "2160h", describe: "Longest certificate lifetime." },
    log_output_level: { type: "string", default: "default:info", describe: "Log levels as scope:level,…" },
    log_as_json: { type: "boolean", default: false, describe: "Log as JSON." },
  },
  run: runDiscovery,
};

async function runDiscovery(args: Arguments, context: CommandContext): Promise<number> {
  const [
    { DiscoveryServer },
    { ConfigError, describeProblem },
    { createLogger, writeToStdout },
    { errorMessage },
    { aborted },
  ] = await Promise.all([
    import("../controlplane/discovery-server.ts"),
    import("../config/config-problem.ts"),
    import("../telemetry/log.ts"),
    import("../lifecycle/error-message.ts"),
    import("../lifecycle/sleep.ts"),
  ]);
  try {
    const { options, levels } = await readOptions(args);
    const log = createLogger({
      json: args.boolean("log_as_json"),
      levels,
      write: writeToStdout,
      now: () => new Date(),
    });
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

async function readOptions(args: Arguments): Promise<{
  options: import("../controlplane/discovery-server.ts").DiscoveryOptions;
  levels: Readonly<Record<string, import("../telemetry/log.ts").LogLevel>>;
}> {
  const [
    { ConfigError },
    { parseDurationMs },
    { parseLogLevels },
    ports,
    { openTokenIssuer },
    { readFileSync },
  ] = await Promise.all([
    import("../config/config-problem.ts"),
    import("../config/duration.ts"),
    import("../config/log-options.ts"),
    import("../net/port-owner.ts"),
    import("../controlplane/demo-tokens.ts"),
    import("node:fs"),
  ]);
  const problems: import("../config/config-problem.ts").ConfigProblem[] = [];
  const refuse = (source: string, message: string): void => {
    problems.push({ source, path: "", message });
  };
  const duration = (flag: string): number => {
    const ms = parseDurationMs(args.string(flag));
    if (ms === undefined || ms <= 0)
      refuse(`--${flag}`, `${args.string(flag)} is not a duration such as 24h`);
    return ms ?? 0;
  };
  const port = (flag: string): number => {
    const value = args.number(flag);
    if (!Number.isInteger(value) || value < 0 || value > 65_535)
      refuse(`--${flag}`, "is not a port from 0 to 65535");
    return value;
  };
  const chosen = {
    secureGrpcPort: port("secureGrpcPort"),
    grpcPort: port("grpcPort"),
    httpPort: port("httpPort"),
  };
  for (const owner of ports.portOwners(Object.values(chosen).filter((value) => value !== 0))) {
    const flag = Object.entries(chosen).find(([, value]) => value === owner.port)?.[0] ?? "";
    refuse(`--${flag}`, `${ports.describePortOwner(owner, flag)}: stop it, or choose another port`);
  }
  const stateDir = args.string("stateDir");
  const demo = await openTokenIssuer(stateDir);
  let { jwks } = demo;
  const jwksFile = args.optionalString("jwksFile");
  if (jwksFile !== undefined) {
    try {
      jwks = JSON.parse(readFileSync(jwksFile, "utf8")) as typeof jwks;
      if (!Array.isArray(jwks.keys)) throw new Error("it has no list of keys");
    } catch (error) {
      refuse("--jwksFile", `${jwksFile} is not a JWKS: ${String(error)}`);
    }
  }
  const levels = parseLogLevels(args.string("log_output_level"), problems);
  const limits = {
    defaultWorkloadTtlMs: duration("defaultWorkloadTtl"),
    maxWorkloadTtlMs: duration("maxWorkloadTtl"),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    levels,
    options: {
      ...chosen,
      ...limits,
      configFolder: args.string("configDir"),
      stateDir,
      trustDomain: args.string("trustDomain"),
      host: args.string("host"),
      rootCertificateFolder: args.optionalString("rootCaDir"),
      jwt: {
        jwks,
        issuer: args.optionalString("jwtIssuer") ?? demo.issuer,
        audiences: args.string("tokenAudiences").split(","),
      },
      debounceMs: 100,
    },
  };
}
