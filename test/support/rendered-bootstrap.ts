/** The bootstrap that a configuration gives, as Envoy would read it. */
import { finishBootstrap } from "../../src/bootstrap/build.ts";
import { renderBootstrap } from "../../src/bootstrap/render.ts";
import { parseConfig } from "../../src/config/parse-config.ts";
import { configSources, type SourceChanges } from "./config-sources.ts";

const adminSocketPath = "./etc/istio/proxy/generations/1/admin.sock";

export function renderedBootstrap(changes: SourceChanges): unknown {
  const { bootstrap } = parseConfig(configSources(changes));
  if (bootstrap.kind === "custom") {
    return JSON.parse(finishBootstrap(bootstrap.bootstrap, undefined, adminSocketPath));
  }
  const rendered = renderBootstrap(bootstrap.template, { ...bootstrap.parameters, adminSocketPath });
  return JSON.parse(finishBootstrap(rendered, bootstrap.override, adminSocketPath));
}
