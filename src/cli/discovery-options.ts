/**
 * The flags of `outrider discovery`, checked.
 */
import { type ConfigProblem, ConfigError } from "../schema/config-problem.ts";
import { parseDurationMs } from "../schema/duration.ts";
import { type LogConfig, logConfig } from "../config/decide/log-options.ts";
import { type JwksOutcome, parseJwks } from "../controlplane/ca/jwks.ts";
import { openTokenIssuer } from "../controlplane/demo-tokens.ts";
import type { DiscoveryOptions } from "../controlplane/discovery-server.ts";
import { readRegularText } from "../files/read-regular-file.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { describePortOwner, portOwners } from "../net/port-owner.ts";
import { trustDomainProblem } from "../pki/spiffe-id.ts";
import type { Arguments } from "../command/command.ts";
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
  const word = <const Word extends string>(flag: string, ...words: readonly Word[]): Word | undefined => {
    const found = words.find((each) => each === args.string(flag));
    if (found === undefined) refuse(`--${flag}`, `${args.string(flag)} is not one of ${words.join(", ")}`);
    return found;
  };
  const plainGrpc = word("plainGrpc", "loopback", "host", "off");
  const chosen = {
    secureGrpcPort: port("secureGrpcPort"),
    grpcPort: plainGrpc === "off" ? undefined : port("grpcPort"),
    httpPort: port("httpPort"),
  };
  const taken = Object.values(chosen).flatMap((value) => (value === undefined || value === 0 ? [] : [value]));
  for (const owner of portOwners(taken)) {
    const flag = Object.entries(chosen).find(([, value]) => value === owner.port)?.[0] ?? "";
    refuse(`--${flag}`, `${describePortOwner(owner, flag)}: stop it, or choose another port`);
  }
  const binding = word("proxyBinding", "identity", "workload") ?? "identity";
  const stateDir = args.string("stateDir");
  const demo = await openTokenIssuer(stateDir);
  let { jwks } = demo;
  const jwksFile = args.optionalString("jwksFile");
  if (jwksFile !== undefined) {
    const outcome = readJwks(jwksFile);
    if (outcome.kind === "read") ({ jwks } = outcome);
    else refuse("--jwksFile", `${jwksFile} ${outcome.problem}`);
  }
  const trustDomain = args.string("trustDomain");
  const trustDomainAliases = listOf(args.string("trustDomainAliases"));
  for (const [flag, names] of [
    ["--trustDomain", [trustDomain]],
    ["--trustDomainAliases", trustDomainAliases],
  ] as const) {
    for (const name of names) {
      const problem = trustDomainProblem(name);
      if (problem !== undefined) refuse(flag, `${JSON.stringify(name)} ${problem} (SPIFFE-ID standard)`);
    }
  }
  const audiences = listOf(args.string("tokenAudiences"));
  if (audiences.length === 0) refuse("--tokenAudiences", "names no audience");
  const log = logConfig(readLogFlags(args), problems);
  const maxWorkloadTtlMs = duration("maxWorkloadTtl");
  const limits = {
    // What is given when nothing is asked for must itself be allowed.
    defaultWorkloadTtlMs: Math.min(duration("defaultWorkloadTtl"), maxWorkloadTtlMs),
    maxWorkloadTtlMs,
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    log,
    options: {
      ...chosen,
      ...limits,
      configFolder: args.string("configDir"),
      stateDir,
      trustDomain,
      trustDomainAliases: trustDomainAliases.filter((name) => name !== trustDomain),
      host: args.string("host"),
      grpcHost: plainGrpc === "host" ? args.string("host") : "127.0.0.1",
      binding: { binding, trustsAddresses: args.boolean("trustProxyAddresses") },
      rootCertificateFolder: args.optionalString("rootCaDir"),
      jwt: {
        jwks,
        jwksFile,
        issuer: args.optionalString("jwtIssuer") ?? demo.issuer,
        audiences,
      },
      debounceMs: 100,
    },
  };
}

function readJwks(path: string): JwksOutcome {
  try {
    return parseJwks(readRegularText(path));
  } catch (error) {
    return { kind: "unusable", problem: `cannot be read: ${errorMessage(error)}` };
  }
}

function listOf(text: string): readonly string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}
