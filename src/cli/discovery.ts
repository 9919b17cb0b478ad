/**
 * `outrider discovery`: the control plane.
 */
import { unusableCode } from "../command/exit-codes.ts";
import { join, resolve } from "node:path";
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { flagsOf } from "../command/setting-flags.ts";
import { variableOf } from "../schema/own-variables.ts";
import { logFlags } from "../config/sources/log-flags.ts";
import { discoveryFlags, istioVariables } from "./discovery-flags.ts";

/** Runs until it is asked to stop. */
export const discoveryCommand: Command = {
  name: "discovery",
  describe: "Run the control plane: discovery and certificate authority for a folder of Istio YAML.",
  summary: "Run the control plane for a folder of Istio YAML",
  exitCodes: [
    { code: 0, meaning: "it was asked to stop" },
    { code: 64, meaning: "it cannot run with this configuration" },
  ],
  flags: { ...flagsOf(discoveryFlags, variablesOf), ...flagsOf(logFlags) },
  hasLog: true,
  run: runDiscovery,
};

function variablesOf(flag: string): readonly string[] {
  const istios = istioVariables[flag];
  return istios === undefined ? [variableOf(flag)] : [variableOf(flag), istios];
}

async function runDiscovery(args: Arguments, given: CommandContext): Promise<number> {
  const [
    { DiscoveryServer },
    { readDiscoveryOptions },
    { ConfigError },
    { openLog },
    { privateContext },
    { errorMessage },
    { aborted },
    { commitOf },
    { announceControlPlane },
    { runtimeFolderHere },
  ] = await Promise.all([
    import("../controlplane/discovery-server.ts"),
    import("./discovery-options.ts"),
    import("../schema/config-problem.ts"),
    import("./open-log.ts"),
    import("../beside/private-context.ts"),
    import("../lifecycle/error-message.ts"),
    import("../lifecycle/sleep.ts"),
    import("./commit.ts"),
    import("../status/control-plane-announcement.ts"),
    import("../config/runtime-folder.ts"),
  ]);
  const { context, redactor } = privateContext(given);
  try {
    const { options, log: logConfig } = await readDiscoveryOptions(args, context.env);
    const { log } = openLog(logConfig, context.standard, redactor);
    const commit = await commitOf(join(context.templates, ".."));
    const build = [options.version, commit ?? []].flat().join(" ");
    await using server = await DiscoveryServer.listen(
      { ...options, build },
      { log, signal: context.shutdown },
    );
    log.info("control plane is up", {
      ...server.ports,
      configDir: options.configFolder,
      rootCertificate: join(options.stateDir, "root-cert.pem"),
    });
    const folder = runtimeFolderHere(context.env);
    const { http: httpPort, secureGrpc: secureGrpcPort } = server.ports;
    const where = { pid: context.pid, httpPort, secureGrpcPort, configFolder: resolve(options.configFolder) };
    using _announced = announceControlPlane(folder, where, (reason) => {
      log.debug("outriderctl has to be told the ports of this control plane", { folder, reason });
    });
    await aborted(context.shutdown);
    log.info("control plane stops");
    return 0;
  } catch (error) {
    // It was asked to stop while it waited for a registry.
    if (context.shutdown.aborted) return 0;
    const { problemEntries, reasonEntry, tellFatal } = await import("./fatal.ts");
    const message = "outrider cannot run the control plane";
    const entries =
      error instanceof ConfigError
        ? problemEntries(message, error.problems)
        : errorMessage(error)
            .split("\n")
            .map((reason) => reasonEntry(message, reason));
    tellFatal(entries, { args, context, redactor });
    return unusableCode;
  }
}
