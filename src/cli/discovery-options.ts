/**
 * The flags of `outrider discovery`, checked.
 */
import { readFileSync } from "node:fs";
import { type ConfigProblem, ConfigError } from "../config/config-problem.ts";
import { parseDurationMs } from "../config/duration.ts";
import { type LogConfig, logConfig } from "../config/log-options.ts";
import { openTokenIssuer } from "../controlplane/demo-tokens.ts";
import type { DiscoveryOptions } from "../controlplane/discovery-server.ts";
import { describePortOwner, portOwners } from "../net/port-owner.ts";
import type { Arguments } from "./command.ts";
import { readLogFlags } from "./log-flags.ts";

/** What the control plane runs with, and how it logs. */
export interface DiscoveryRun {
  readonly options: DiscoveryOptions;
  readonly log: LogConfig;
}

/** Read the flags. @throws {ConfigError} With every problem. */
export async function readDiscoveryOptions(args: Arguments): Promise<DiscoveryRun> {
  const problems: ConfigProblem[] = [];
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
  for (const owner of portOwners(Object.values(chosen).filter((value) => value !== 0))) {
    const flag = Object.entries(chosen).find(([, value]) => value === owner.port)?.[0] ?? "";
    refuse(`--${flag}`, `${describePortOwner(owner, flag)}: stop it, or choose another port`);
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
  const log = logConfig(readLogFlags(args), problems);
  const limits = {
    defaultWorkloadTtlMs: duration("defaultWorkloadTtl"),
    maxWorkloadTtlMs: duration("maxWorkloadTtl"),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    log,
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
