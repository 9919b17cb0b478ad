/**
 * Every command of outriderctl. Each is loaded when it runs.
 */
import type { Command, CommandGroup } from "../command/command.ts";
import { completionOf } from "../command/completion/completion-command.ts";
import { privately } from "../beside/privately.ts";
import { analyzeCommand } from "./analyze.ts";
import { authzCommand } from "./authz.ts";
import { bugReportCommand } from "./bug-report.ts";
import { dashboardCommand } from "./dashboard.ts";
import { describeCommand } from "./describe.ts";
import { explainCommand } from "./explain.ts";
import { injectCommand } from "./inject.ts";
import { installCommand, upgradeCommand } from "./install.ts";
import { manifestCommand } from "./manifest.ts";
import { profileCommand } from "./profile.ts";
import { proxyConfigCommand } from "./proxy-config.ts";
import { proxyStatusCommand } from "./proxy-status.ts";
import { tagCommand } from "./tag.ts";
import { topCommand } from "./top.ts";
import { uninstallCommand } from "./uninstall.ts";
import { validateCommand } from "./validate.ts";
import { versionCommand } from "./version.ts";
import { visibly } from "./visible.ts";
import { workloadCommand } from "./workload.ts";

/** In the order in which help lists them. What they show comes from proxies and control planes: no secret of here is in it. */
export const commands: readonly Command[] = [
  visibly(privately(proxyStatusCommand)),
  visibly(privately(proxyConfigCommand)),
  visibly(privately(describeCommand)),
  visibly(privately(authzCommand)),
  visibly(privately(dashboardCommand)),
  visibly(privately(topCommand)),
  visibly(privately(explainCommand)),
  visibly(analyzeCommand),
  visibly(validateCommand),
  // What it prints is the user's own text, for another program.
  injectCommand,
  visibly(installCommand),
  visibly(upgradeCommand),
  visibly(uninstallCommand),
  visibly(tagCommand),
  visibly(manifestCommand),
  visibly(profileCommand),
  visibly(workloadCommand),
  visibly(bugReportCommand),
  completionOf("outriderctl"),
  visibly(privately(versionCommand)),
];

/** Those that help lists, by what they are about. */
export const commandGroups: readonly CommandGroup[] = [
  { title: "See", commands: ["proxy-status", "proxy-config", "describe", "authz", "dashboard", "top"] },
  { title: "Ask why", commands: ["explain"] },
  { title: "Check", commands: ["analyze", "validate", "bug-report"] },
  {
    title: "Change",
    commands: ["install", "upgrade", "uninstall", "tag", "manifest", "profile", "inject", "workload"],
  },
  { title: "Program", commands: ["completion", "version"] },
];
