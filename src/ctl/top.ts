/**
 * `outriderctl top`: live rates, errors and latencies of every sidecar.
 */
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { unusableCode } from "../command/exit-codes.ts";
import { parseHostPort } from "../net/host-port.ts";
import { parseDurationMs } from "../schema/duration.ts";
import { readSystemVariables } from "../schema/system-variables.ts";
import { askingCodes } from "./failure.ts";
import { outputFlag, outputForm } from "./output.ts";

/** A table that is drawn anew, or one without a terminal. */
export const topCommand: Command = {
  name: "top",
  usage: "[proxies..]",
  describe:
    "Show requests per second, the share of errors and the latencies (p50, p99) of every sidecar of this machine, to its application " +
    "(IN) and from it (OUT), and draw them anew. Arrows choose the column to sort by and scroll, r reverses, q ends. Without a terminal, " +
    "and with --once or -o, it is one table. An error is a status of 500 or more, or no answer. " +
    "Examples: outriderctl top; outriderctl top web --interval 1s; outriderctl top --once -o json",
  summary: "Live rates, errors and latencies of every sidecar",
  exitCodes: askingCodes,
  flags: {
    once: { type: "boolean", default: false, describe: "Print one table and end." },
    interval: {
      type: "string",
      default: "2s",
      range: { leastMs: 100, mostMs: 3_600_000 },
      describe: "From one look to the next.",
    },
    "admin-address": {
      type: "string",
      array: true,
      describe: "Admin port of an Envoy, HOST:PORT, beside those of this machine; several times for several.",
    },
    ...outputFlag,
  },
  run: show,
};

async function show(args: Arguments, context: CommandContext): Promise<number> {
  const form = outputForm(args, context);
  const addresses = args.strings("admin-address").map((text) => ({ text, place: parseHostPort(text) }));
  const wrong = addresses.filter(({ place }) => place === undefined);
  for (const { text } of wrong)
    context.printError(`--admin-address: ${JSON.stringify(text)} is not HOST:PORT`);
  if (form === undefined || wrong.length > 0) return unusableCode;
  const isLive =
    form === "text" &&
    !args.boolean("once") &&
    context.terminal !== undefined &&
    readSystemVariables(context.env).TERM !== "dumb";
  const { runTop } = await import("./top/run.ts");
  return runTop(
    {
      intervalMs: parseDurationMs(args.string("interval")) ?? 0,
      names: args.words,
      admins: addresses.flatMap(({ place }) => place ?? []),
      form: isLive ? "live" : form,
    },
    context,
  );
}
