/**
 * From configuration to what Envoy is started from.
 */
import { finishBootstrap } from "../bootstrap/build.ts";
import { renderBootstrap, TemplateError } from "../bootstrap/render.ts";
import type { AgentConfig } from "./agent-config.ts";
import type { BootstrapSource } from "./decide/bootstrap-source.ts";
import { ConfigError } from "../schema/config-problem.ts";
import { type PreparedLaunch, prepareLaunch } from "../envoy/generation/launch.ts";

/** @throws ConfigError when the template cannot be rendered */
export function launchOf(config: AgentConfig, binary: string): PreparedLaunch {
  return prepareLaunch({
    binary,
    options: config.envoy,
    renderBootstrap: bootstrapRenderer(config.bootstrap),
  });
}

function bootstrapRenderer(source: BootstrapSource): (adminSocketPath: string) => string {
  if (source.kind === "custom") return (path) => finishBootstrap(source.bootstrap, undefined, path);
  const { template, parameters, override } = source;
  return (adminSocketPath) => {
    try {
      return finishBootstrap(
        renderBootstrap(template, { ...parameters, adminSocketPath }),
        override,
        adminSocketPath,
      );
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      throw new ConfigError([{ source: "bootstrap template", path: "", message: error.message }]);
    }
  };
}
