/**
 * What follows a certificate, in words: `COMMAND ARGUMENT…`, or `SIGNAL:PID-FILE`.
 */
import { constants } from "node:os";
import type { RotationNotice } from "../../identity/output-certs.ts";
import type { Setting } from "../../schema/setting.ts";

/** Undefined is nothing. */
export function rotationNotice(describe: string): Setting<RotationNotice | undefined> {
  return {
    type: "string",
    default: undefined,
    defaultText: "",
    describe,
    parse: parseRotationNotice,
    kind: "a signal with a pid file, such as SIGHUP:/run/app.pid",
  };
}

/** Undefined for a signal that there is not, or that lacks its pid file. */
export function parseRotationNotice(text: string): RotationNotice | undefined {
  const [file = "", ...args] = text.split(/\s+/).filter((word) => word !== "");
  if (file === "") return undefined;
  const [, name = "", pidFile = ""] = /^(SIG[A-Z0-9+-]*):(.*)$/.exec(file) ?? [];
  if (name === "") return { kind: "command", file, args };
  const signal = Object.keys(constants.signals).find((known) => known === name);
  return signal !== undefined && pidFile !== "" && args.length === 0
    ? { kind: "signal", signal: signal as NodeJS.Signals, pidFile }
    : undefined;
}
