/**
 * `outrider proxy`: the agent, with pilot-agent's flags.
 */
import { existsSync } from "node:fs";
import { unusableCode } from "../command/exit-codes.ts";
import { join } from "node:path";
import type { AgentConfig } from "../config/agent-config.ts";
import type { ConfigSources } from "../config/sources/config-sources.ts";
import { annotationOf, ownFlags } from "../config/sources/own-flags.ts";
import { variableOf } from "../schema/own-variables.ts";
import { proxyFlags, readProxyFlags } from "../config/sources/proxy-flags.ts";
import { describeProblem } from "../schema/config-problem.ts";
import { closeWithin } from "../lifecycle/close-within.ts";
import { pilotFlags } from "../config/sources/pilot-flags.ts";
import type { FatalEntry } from "../telemetry/log.ts";
import type { SupervisionEnd } from "../envoy/supervision/shown.ts";
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { flagsOf, flagTexts } from "../command/setting-flags.ts";
import { stoppedCode } from "./stopped-code.ts";
import { version } from "../command/version.ts";

/** Exit codes of the agent; a spent restart budget passes Envoy's own code on. */
const exitCodes = { drained: 0, failed: 1, configurationUnusable: unusableCode } as const;

/** How long the parts of the agent may take to close once Envoy is gone, in milliseconds. */
const closeMs = 5_000;

/** How long a pod's network may take to get an address, in milliseconds. */
const addressesMs = 120_000;

/** Runs until it is asked to stop. */
export const proxyCommand: Command = {
  name: "proxy",
  usage: "[type]",
  wordValues: { type: ["sidecar", "router"] },
  describe: "Run the sidecar or gateway: identity, xDS, SDS and Envoy.",
  hangup: "reload",
  hasLog: true,
  allowUnknown: true,
  mainFlags: [
    ...["domain", "meshConfig", "templateFile", "concurrency", "proxyLogLevel", "log_output_level"],
    ...["log_as_json", "swapMode", "preDrainDelay", "restartBudget", "print-config"],
  ],
  summary: "Run the sidecar or gateway: identity, xDS, Envoy",
  exitCodes: [
    { code: 0, meaning: "asked to stop, or the application has ended, and drained" },
    { code: 64, meaning: "the configuration cannot be used" },
    { code: "Envoy's own, or 128 + signal", meaning: "Envoy kept dying until the restart budget was spent" },
    {
      code: "128 + signal",
      meaning: "stopped before Envoy was ever ready, or at once by a second signal (143 for SIGTERM)",
    },
    { code: 1, meaning: "a part of the agent failed" },
  ],
  flags: {
    ...flagsOf(proxyFlags, (name) =>
      Object.hasOwn(ownFlags, name) ? [variableOf(name), annotationOf(name)] : [],
    ),
    "print-config": {
      type: "boolean",
      default: false,
      describe: "Print the effective ProxyConfig with the source of each value, and end.",
    },
    ...Object.fromEntries(
      Object.entries(pilotFlags).map(([name, { describe }]) => [name, { type: "string", describe }] as const),
    ),
  },
  run: runProxy,
};

async function runProxy(args: Arguments, given: CommandContext): Promise<number> {
  const { privateContext } = await import("../beside/private-context.ts");
  const { context, redactor, readFile } = privateContext(given);
  // Loaded here so that help and the other commands do not pay for the agent.
  const [
    { parseConfig },
    { ConfigError },
    { interfaceAddresses },
    { lookAround },
    { unwantedHere },
    { cpusOf },
    { openLog },
  ] = await Promise.all([
    import("../config/parse-config.ts"),
    import("../schema/config-problem.ts"),
    import("../config/sources/read-sources.ts"),
    import("../config/surroundings.ts"),
    import("../config/wanted-here.ts"),
    import("../process/cpu-share.ts"),
    import("./open-log.ts"),
  ]);
  const sources = { ...calledWith(args), env: context.env, readFile };
  if (args.boolean("print-config")) {
    const { configLines } = await import("../config/proxy-config/print-config.ts");
    const { lines, problems } = configLines(sources);
    for (const line of lines) context.print(line);
    for (const problem of problems) context.printError(describeProblem(problem));
    return problems.length === 0 ? exitCodes.drained : exitCodes.configurationUnusable;
  }
  try {
    const unwanted = unwantedHere({ ...sources, folder: process.cwd(), exists: existsSync });
    if (unwanted !== undefined) throw new ConfigError([unwanted]);
    const surroundings = await lookAround(sources, {
      limitMs: addressesMs,
      signal: context.shutdown,
      onWait: () => {
        context.printError(
          `outrider waits up to ${addressesMs / 1_000} s for an address of its own; INSTANCE_IP names one at once`,
        );
      },
    });
    if (context.shutdown.aborted) return stoppedEarly(context);
    const configure = (): AgentConfig =>
      parseConfig({
        ...sources,
        ...surroundings,
        interfaces: interfaceAddresses(),
        cpus: cpusOf(),
        templatePath: join(context.templates, "sidecar.yaml"),
        version,
      });
    const config = configure();
    const {
      log,
      journal,
      reopen: reopenLog,
      lost: lostLines,
    } = openLog(config.log, context.standard, redactor);
    log.info("outrider starts", { version, node: config.nodeId });
    if (args.unknown.length > 0) log.warn("unknown flags ignored", { flags: args.unknown.join(" ") });
    for (const reason of config.warnings) log.warn("configuration is odd", { reason });

    const [{ runAgent }, { ensureEnvoy, logProgress }] = await Promise.all([
      import("../agent/run-agent.ts"),
      import("../envoy/binary/ensure.ts"),
    ]);
    const envoyBinary =
      config.proxyless === undefined
        ? await ensureEnvoy(
            { ...config.envoyBinary, env: context.env, signal: context.shutdown },
            logProgress(log),
          )
        : undefined;
    const { promise: ended, resolve: onEnd } = Promise.withResolvers<SupervisionEnd>();
    const running = runAgent(config, {
      log,
      journal,
      redactor,
      reopenLog,
      lostLines,
      pid: context.pid,
      version,
      configure,
      envoyBinary,
      onEnvoyLogLine: (line) => {
        context.standard.writer("stdout").write(`${redactor.all(line)}\n`);
      },
      shutdown: context.shutdown,
      hurry: context.hurry,
      reloadRequests: context.reloadRequests,
      reopenLogsRequests: context.reopenLogsRequests,
      childChanges: context.childChanges,
      init: context.init,
      onEnd,
    });
    const end = await closeWithin(running, ended, closeMs, () => {
      log.error("a part of the agent does not close, leaving without it", { afterMs: closeMs });
    });
    if (end.kind === "gave-up")
      await leaveWord([`Envoy keeps dying: ${redactor.all(end.reason)}`], sources, context);
    return exitCodeOfEnd(end, context);
  } catch (error) {
    const { problemEntries, reasonEntry, tellFatal } = await import("./fatal.ts");
    const fatal = async (entries: readonly FatalEntry[], lines: readonly string[]): Promise<void> => {
      tellFatal(entries, { args, context, redactor });
      await leaveWord(lines, sources, context);
    };
    if (error instanceof ConfigError) {
      const message = "outrider cannot run with this configuration";
      const problems = error.problems.map((problem) => redactor.known(`  ${describeProblem(problem)}`));
      await fatal(problemEntries(message, error.problems), [`${message}:`, ...problems]);
      return exitCodes.configurationUnusable;
    }
    const { errorMessage } = await import("../lifecycle/error-message.ts");
    const { EnvoyFetchError } = await import("../envoy/binary/fetch.ts");
    if (error instanceof EnvoyFetchError && context.shutdown.aborted) return stoppedEarly(context);
    const isFetch = error instanceof EnvoyFetchError;
    const message = isFetch ? "outrider has no Envoy to run" : "outrider failed";
    const reason = redactor.known(errorMessage(error));
    await fatal([reasonEntry(message, reason)], [`${message}: ${reason}`]);
    return isFetch ? exitCodes.configurationUnusable : exitCodes.failed;
  }
}

/** Where the flags come from. */
type FlagSources = Pick<ConfigSources, "env" | "flags" | "readFile">;

async function leaveWord(
  lines: readonly string[],
  sources: FlagSources,
  context: CommandContext,
): Promise<void> {
  const { writeTerminationLog } = await import("../files/termination-log.ts");
  const problem = writeTerminationLog(readProxyFlags(sources, []).terminationLog, lines);
  if (problem !== undefined) context.printError(`the termination log ${problem}`);
}

/**
 * Who stops an agent before it has served, or does not let it drain, sees the signal, as of any program that it ends.
 * A 0 would tell the platform that the work is done: a container with restartPolicy OnFailure that a failed startup
 * probe has ended would never be started again.
 */
function exitCodeOfEnd(
  end: SupervisionEnd,
  { shutdown, hurry }: Pick<CommandContext, "shutdown" | "hurry">,
): number {
  switch (end.kind) {
    case "drained":
      return exitCodes.drained;
    case "never-served":
      return stoppedCode(shutdown);
    case "cut-short":
      return stoppedCode(hurry);
    case "gave-up":
      return end.exitCode;
  }
}

/** Asked to stop before there was an Envoy. */
function stoppedEarly({ shutdown, printError }: CommandContext): number {
  printError("outrider was asked to stop while it started");
  return stoppedCode(shutdown);
}

/** What a call of `proxy` gives of the configuration's sources. */
export function calledWith(args: Arguments): Pick<ConfigSources, "flags" | "proxyType"> {
  return {
    proxyType: args.words[0] ?? "sidecar",
    flags: flagTexts(args, [...Object.keys(proxyFlags), ...Object.keys(pilotFlags)]),
  };
}
