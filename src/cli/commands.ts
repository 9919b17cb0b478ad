/**
 * Every command of the CLI. Each is loaded when it runs, so that none pays for another's libraries.
 */
import type { Command } from "../command/command.ts";
import { certsCommand } from "./certs.ts";
import { diagnoseCommand } from "./diagnose.ts";
import { discoveryCommand } from "./discovery.ts";
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
import { proxyCommand } from "./proxy.ts";
import { reloadCommand } from "./reload.ts";
import { requestCommand } from "./request.ts";
import { runCommand } from "./run.ts";
import { statusCommand } from "./status.ts";
import { traceCommand } from "./trace.ts";
import { upCommand } from "./up.ts";
import { versionCommand } from "./version-command.ts";
import { waitCommand } from "./wait.ts";
import { xdsCommand } from "./xds.ts";

/** In the order in which help lists them. */
export const commands: readonly Command[] = [
  upCommand,
  proxyCommand,
  runCommand,
  waitCommand,
  requestCommand,
  reloadCommand,
  statusCommand,
  xdsCommand,
  planCommand,
  doctorCommand,
  certsCommand,
  diagnoseCommand,
  iptablesCommand,
  cleanIptablesCommand,
  istioIptablesCommand,
  istioCleanIptablesCommand,
  traceCommand,
  discoveryCommand,
  envoyCommand,
  envCommand,
  versionCommand,
];
