/**
 * `outrider wait`: returns once the sidecar of this pod serves. For a postStart hook and for init containers.
 */
import { unusableCode } from "../command/exit-codes.ts";
import { timerMs, timerSeconds } from "../schema/range.ts";
import type { Command, Flag } from "../command/command.ts";
import { nameFlag } from "./agent-flags.ts";
import { failedCode, stoppedCode } from "./stopped-code.ts";

/** Flags of every command that waits for the sidecar. */
export const waitFlags = {
  timeoutSeconds: {
    type: "number",
    range: timerSeconds,
    default: 60,
    describe: "How long to wait for the sidecar.",
  },
  requestTimeoutMillis: {
    type: "number",
    range: timerMs,
    default: 500,
    describe: "Longest time of one request.",
  },
  periodMillis: { type: "number", range: timerMs, default: 500, describe: "Time between two requests." },
  url: {
    type: "string",
    describe:
      "Where to ask (default http://localhost:15021/healthz/ready, with the port that this pod's sidecar is given).",
  },
} as const satisfies Readonly<Record<string, Flag>>;

/** Exit code 0 when it serves; 255 when it does not in time, as in pilot-agent. */
export const waitCommand: Command = {
  name: "wait",
  describe: "Wait until the sidecar of this pod is ready: exit code 0, or 255 when it is not in time.",
  summary: "Wait until the sidecar is ready",
  exitCodes: [
    { code: 0, meaning: "it is ready" },
    { code: 255, meaning: "it was not ready in time" },
    { code: "128 + signal", meaning: "a signal stopped it" },
  ],
  flags: { ...waitFlags, ...nameFlag },
  async run(args, context) {
    const [{ waitForSidecar, waitOptions, waitUsage }, { locate }] = await Promise.all([
      import("./sidecar.ts"),
      import("../beside/find-agent.ts"),
    ]);
    const location = locate(args, context);
    if (location === undefined) return unusableCode;
    const options = waitOptions(args, location);
    if (options === undefined) {
      context.printError(waitUsage);
      return unusableCode;
    }
    const result = await waitForSidecar(options, context.shutdown, (reason) => {
      context.printError(`waiting: ${reason}`);
    });
    switch (result.kind) {
      case "ready":
        return 0;
      case "stopped":
        return stoppedCode(context.shutdown);
      case "timeout":
        context.printError(
          `timeout waiting for Envoy proxy to become ready. Last error: ${result.lastError}`,
        );
        return failedCode;
    }
  },
};
