/**
 * The checks that run Envoy.
 */
import { launchOf } from "../config/launch.ts";
import type { AgentConfig } from "../config/agent-config.ts";
import type { BootstrapSource } from "../config/decide/bootstrap-source.ts";
import { ConfigError } from "../schema/config-problem.ts";
import { AdminClient } from "../envoy/admin/admin.ts";
import { findEnvoy } from "../envoy/binary/ensure.ts";
import type { PreparedLaunch } from "../envoy/generation/launch.ts";
import { validateElsewhere } from "../envoy/inspect/validate-elsewhere.ts";
import { judgeTemplateError, judgeValidation } from "./bootstrap.ts";
import { judgeHotRestartVersion, judgeMissingBinary, judgeVersion } from "./envoy-binary.ts";
import { runEnvoy } from "./envoy-run.ts";
import type { Finding } from "./finding.ts";
import type { Check } from "./run-checks.ts";
import type { RunningAgent } from "../envoy/inspect/running-agent.ts";
import type { Subject } from "./subject.ts";

/** A binary that is not found has one finding and nothing else to check. */
export function envoyChecks(
  subject: Subject,
  agent: RunningAgent,
  env: Readonly<Record<string, string | undefined>>,
): readonly Check[] {
  const located = findEnvoy({ ...subject.envoyBinary, env });
  if (located.kind !== "found") return [{ name: "envoy-binary", run: () => [judgeMissingBinary(located)] }];
  const binary = located.path;
  const { config } = subject;
  return [
    {
      name: "envoy-binary",
      run: async (signal) => [judgeVersion(binary, await runEnvoy(binary, ["--version"], signal))],
    },
    {
      name: "hot-restart-version",
      run: async (signal) => {
        const [answer, running] = await Promise.all([
          runEnvoy(binary, ["--hot-restart-version"], signal),
          agent.pid === undefined ? undefined : runningVersion(subject.admin),
        ]);
        return [judgeHotRestartVersion(answer, running)];
      },
    },
    ...(config === undefined
      ? []
      : [{ name: "bootstrap", run: (signal: AbortSignal) => validate(binary, config, signal) }]),
  ];
}

async function runningVersion(admin: Subject["admin"]): Promise<string | undefined> {
  try {
    const { hotRestartVersion } = await new AdminClient(admin).serverInfo();
    // An Envoy without hot restart says "disabled".
    return /^\d/.test(hotRestartVersion) ? hotRestartVersion : undefined;
  } catch {
    return undefined;
  }
}

async function validate(
  binary: string,
  config: AgentConfig,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  let launch: PreparedLaunch;
  try {
    launch = launchOf(config, binary);
  } catch (error) {
    if (error instanceof ConfigError) return [judgeTemplateError(error.message)];
    throw error;
  }
  const validation = await validateElsewhere(launch, signal);
  return [judgeValidation(sourceOf(config.bootstrap), launch, validation)];
}

function sourceOf(source: BootstrapSource): string {
  return source.kind === "custom" ? "ProxyConfig customConfigFile" : source.template.source;
}
