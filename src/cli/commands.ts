/**
 * Every command of the CLI. Each is loaded when it runs, so that none pays for another's libraries.
 */
import type { Command, CommandGroup } from "../command/command.ts";
import { certsCommand } from "./certs.ts";
import { completionOf } from "../command/completion/completion-command.ts";
import { diagnoseCommand } from "./diagnose.ts";
import { discoveryCommand } from "./discovery.ts";
import { dnsCommand } from "./dns.ts";
import { doctorCommand } from "./doctor.ts";
import { envCommand } from "./env.ts";
import { envoyCommand } from "./envoy.ts";
import {
  cleanIptablesCommand,
  iptablesCommand,
  istioCleanIptablesCommand,
  istioIptablesCommand,
} from "./iptables.ts";
import { planCommand } from "./plan.ts";
import { privately } from "../beside/privately.ts";
import { proxyCommand } from "./proxy.ts";
import { reloadCommand } from "./reload.ts";
import { requestCommand } from "./request.ts";
import { runCommand } from "./run.ts";
import { statusCommand } from "./status.ts";
import { tokenCommand } from "./token.ts";
import { traceCommand } from "./trace.ts";
import { upCommand } from "./up.ts";
import { versionCommand } from "./version-command.ts";
import { waitCommand } from "./wait.ts";
import { xdsCommand } from "./xds.ts";

/**
 * In the order in which help lists them. What is not private here is so by itself, with more secrets than those of the
 * environment, or shows nothing but the release and rules of traffic capture.
 */
export const commands: readonly Command[] = [
  privately(upCommand),
  proxyCommand,
  privately(runCommand),
  privately(waitCommand),
  privately(requestCommand),
  privately(reloadCommand),
  privately(statusCommand),
  privately(xdsCommand),
  privately(dnsCommand),
  planCommand,
  doctorCommand,
  privately(certsCommand),
  diagnoseCommand,
  iptablesCommand,
  cleanIptablesCommand,
  istioIptablesCommand,
  istioCleanIptablesCommand,
  traceCommand,
  discoveryCommand,
  tokenCommand,
  privately(envoyCommand),
  privately(envCommand),
  completionOf("outrider"),
  versionCommand,
];

/** Those that help lists, by what they are about; Istio's other names for two of them are in the whole list only. */
export const commandGroups: readonly CommandGroup[] = [
  { title: "A mesh", commands: ["up", "discovery", "token"] },
  { title: "A sidecar", commands: ["proxy", "run", "wait", "request", "reload"] },
  {
    title: "Questions",
    commands: ["status", "doctor", "xds", "certs", "dns", "plan", "env", "diagnose"],
  },
  { title: "Capture", commands: ["iptables", "clean-iptables", "trace"] },
  { title: "Program", commands: ["envoy", "completion", "version"] },
];
