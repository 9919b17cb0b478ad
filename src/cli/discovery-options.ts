/**
 * The flags of `outrider discovery`, checked.
 */
import { existsSync } from "node:fs";
import { type ConfigProblem, ConfigError } from "../schema/config-problem.ts";
import { type LogConfig, logConfig } from "../config/decide/log-options.ts";
import { type JwksOutcome, parseJwks } from "../controlplane/ca/jwks.ts";
import { demoIssuer, openTokenIssuer, type TokenIssuer } from "../controlplane/demo-tokens.ts";
import type { DiscoveryOptions } from "../controlplane/discovery-server.ts";
import { readRegularText } from "../files/read-regular-file.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { describePortOwner, portOwners } from "../net/port-owner.ts";
import { trustDomainProblem } from "../pki/spiffe-id.ts";
import type { Arguments } from "../command/command.ts";
import { discoveryStateFolder } from "../config/state-folder.ts";
import { flagTexts } from "../command/setting-flags.ts";
import { logFlags } from "../config/sources/log-flags.ts";
import { readProxyConfig } from "../config/proxy-config/injected.ts";
import { readFlags } from "../schema/flag-texts.ts";
import { type GivenVariables, readOwnFlags } from "../schema/own-variables.ts";
import { readSystemVariables } from "../schema/system-variables.ts";
import { controlPlaneTargets } from "./config-sources.ts";
import { discoveryFlags, istioVariables } from "./discovery-flags.ts";
import { registryTargets } from "./registry-options.ts";
import { version } from "../command/version.ts";

/** Flags that choose a port. */
const ports = ["secureGrpcPort", "grpcPort", "httpPort", "httpsPort"] as const;

/** What the control plane runs with, and how it logs. */
export interface DiscoveryRun {
  readonly options: DiscoveryOptions;
  readonly log: LogConfig;
}

/** Read the flags, and their variables. @throws {ConfigError} With every problem. */
export async function readDiscoveryOptions(args: Arguments, env: GivenVariables): Promise<DiscoveryRun> {
  const problems: ConfigProblem[] = [];
  const refuse = (source: string, message: string): void => {
    problems.push({ source, path: "", message });
  };
  const texts = flagTexts(args, Object.keys({ ...discoveryFlags, ...logFlags }));
  const { values: flags, sourceOf } = readOwnFlags(
    discoveryFlags,
    { flags: texts, env, variables: istioVariables },
    problems,
  );
  const { plainGrpc, jwksFile, trustDomain, maxWorkloadTtl: maxWorkloadTtlMs } = flags;
  const chosen = {
    secureGrpcPort: flags.secureGrpcPort,
    grpcPort: plainGrpc === "off" ? undefined : flags.grpcPort,
    httpPort: flags.httpPort,
    ...(flags.registries.includes("Kubernetes") ? { httpsPort: flags.httpsPort } : {}),
  };
  const taken = Object.values(chosen).flatMap((value) => (value === undefined || value === 0 ? [] : [value]));
  for (const owner of portOwners(taken)) {
    const flag = ports.find((name) => chosen[name] === owner.port) ?? "httpPort";
    refuse(sourceOf(flag), `${describePortOwner(owner, flag)}: stop it, or choose another port`);
  }
  const stateDir = discoveryStateFolder(flags.stateDir, env, existsSync);
  let demo: Pick<TokenIssuer, "jwks" | "issuer"> | undefined;
  try {
    demo = await openTokenIssuer(stateDir);
  } catch (error) {
    refuse(sourceOf("stateDir"), `${errorMessage(error)}: name a folder that this user may use`);
  }
  let jwks = demo?.jwks ?? { keys: [] };
  if (jwksFile !== undefined) {
    const outcome = readJwks(jwksFile);
    if (outcome.kind === "read") ({ jwks } = outcome);
    else refuse(sourceOf("jwksFile"), `${jwksFile} ${outcome.problem}`);
  }
  const trustDomainAliases = listOf(flags.trustDomainAliases);
  for (const [flag, names] of [
    ["trustDomain", [trustDomain]],
    ["trustDomainAliases", trustDomainAliases],
  ] as const) {
    for (const name of names) {
      const problem = trustDomainProblem(name);
      if (problem !== undefined)
        refuse(sourceOf(flag), `${JSON.stringify(name)} ${problem} (SPIFFE-ID standard)`);
    }
  }
  const registries = registryTargets(flags, readSystemVariables(env), (flag, message) => {
    refuse(sourceOf(flag), message);
  });
  const controlPlanes = controlPlaneTargets(flags, (flag, message) => {
    refuse(sourceOf(flag), message);
  });
  const audiences = listOf(flags.tokenAudiences);
  if (audiences.length === 0) refuse(sourceOf("tokenAudiences"), "names no audience");
  if (!/^[a-z0-9](?:[-a-z0-9]{0,38}[a-z0-9])?$/.test(flags.revision))
    refuse(
      sourceOf("revision"),
      `${JSON.stringify(flags.revision)} is no revision: small letters, digits and -, at most 40`,
    );
  const log = logConfig(readFlags(logFlags, texts, problems), problems);
  const limits = {
    // What is given when nothing is asked for must itself be allowed.
    defaultWorkloadTtlMs: Math.min(flags.defaultWorkloadTtl, maxWorkloadTtlMs),
    maxWorkloadTtlMs,
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return {
    log,
    options: {
      ...chosen,
      ...limits,
      configFolder: flags.configDir,
      meshConfigFile: flags.meshConfig,
      ...registries,
      controlPlanes,
      environment: env,
      stateDir,
      trustDomain,
      trustDomainAliases: trustDomainAliases.filter((name) => name !== trustDomain),
      host: flags.host,
      maxConnectionAgeMs: flags.keepaliveMaxServerConnectionAge,
      grpcHost: plainGrpc === "host" ? flags.host : "127.0.0.1",
      binding: { binding: flags.proxyBinding, trustsAddresses: flags.trustProxyAddresses },
      rootCertificateFolder: flags.rootCaDir,
      jwt: {
        jwks,
        jwksFile,
        issuer: flags.jwtIssuer ?? demo?.issuer ?? demoIssuer,
        audiences,
      },
      debounceMs: flags.debounceAfter,
      debounceMaxMs: flags.debounceMax,
      machines: { graceMs: flags.workloadEntryGracePeriod },
      version,
      revision: flags.revision,
      injection: { valuesFile: flags.injectionValues, release: version, readProxyConfig },
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
