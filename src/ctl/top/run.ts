/**
 * Runs `outriderctl top`: one table, or a live one until it is ended.
 */
import type { CommandContext, Terminal } from "../../command/command.ts";
import { Screen } from "../../command/screen.ts";
import { runtimeFolderHere } from "../../config/runtime-folder.ts";
import { sleep } from "../../lifecycle/sleep.ts";
import { formatHostPort, type HostPort } from "../../net/host-port.ts";
import { readSystemVariables } from "../../schema/system-variables.ts";
import { announcedAgents } from "../../status/announcement.ts";
import { noAnswerCode } from "../failure.ts";
import { printValue } from "../output.ts";
import { afterLook, type History, noHistory } from "./history.ts";
import { afterKeys } from "./keys.ts";
import { lookAtAll, type Sidecar } from "./look.ts";
import { drawTop, firstChoice, latencyAdvice, mostScrolled } from "./picture.ts";

/** What was asked for. */
export interface TopOptions {
  readonly intervalMs: number;
  /** How the names begin of those that are meant; all without one. */
  readonly names: readonly string[];
  /** Envoys that no agent of this machine tells of. */
  readonly admins: readonly HostPort[];
  readonly form: "live" | "text" | "json" | "yaml";
}

/** Wide enough for every column where there is no terminal. */
const plainWidth = 120;

/** Until the second look, in milliseconds: nobody likes to wait for the first figures. */
const firstIntervalMs = 500;

/** Resolves to the exit code. */
export async function runTop(options: TopOptions, context: CommandContext): Promise<number> {
  if (sidecarsNow(options, context).length === 0) {
    context.printError(
      options.names.length === 0
        ? "no agent of this user runs here: give --admin-address HOST:PORT of an Envoy"
        : `no agent of this user that runs here has a name that begins with ${options.names.join(" or ")}`,
    );
    return noAnswerCode;
  }
  const { terminal } = context;
  if (options.form === "live" && terminal !== undefined) return showLive(options, context, terminal);
  return showOnce(options, context);
}

/** Agents come and go. */
function sidecarsNow({ names, admins }: TopOptions, { env }: CommandContext): readonly Sidecar[] {
  const agents = announcedAgents(runtimeFolderHere(env)).filter(
    ({ name }) => names.length === 0 || names.some((start) => name.startsWith(start)),
  );
  const namesakes = Map.groupBy(agents, ({ name }) => name);
  const here = agents.map(({ name, pid, adminPort }) => ({
    name: namesakes.get(name)?.length === 1 ? name : `${name} (pid ${pid})`,
    admin: { host: "127.0.0.1", port: adminPort },
  }));
  return [...here, ...admins.map((admin) => ({ name: formatHostPort(admin), admin }))];
}

async function showOnce(options: TopOptions, context: CommandContext): Promise<number> {
  const look = async (before: History): Promise<History> =>
    afterLook(before, await lookAtAll(sidecarsNow(options, context), context.shutdown));
  const first = await look(noHistory);
  await sleep(options.intervalMs, context.shutdown);
  if (context.shutdown.aborted) return noAnswerCode;
  const { rows } = await look(first);
  if (options.form === "json" || options.form === "yaml") {
    await printValue({ intervalSeconds: options.intervalMs / 1_000, sidecars: rows }, options.form, context);
  } else {
    const place = { columns: context.terminal?.columns() ?? plainWidth, rows: undefined, colour: false };
    for (const line of drawTop(rows, firstChoice, place)) context.print(line);
    const advice = latencyAdvice(rows);
    if (advice !== undefined) context.printError(advice);
  }
  return rows.every(({ state }) => state === "no answer") ? noAnswerCode : 0;
}

async function showLive(options: TopOptions, context: CommandContext, terminal: Terminal): Promise<number> {
  const ended = new AbortController();
  const stop = AbortSignal.any([context.shutdown, ended.signal]);
  const colour = readSystemVariables(context.env).NO_COLOR === "";
  let history = noHistory;
  let choice = firstChoice;
  using screen = new Screen(terminal);
  const redraw = (): void => {
    const place = { columns: screen.columns, rows: screen.rows, colour };
    choice = { ...choice, scrolled: Math.min(choice.scrolled, mostScrolled(history.rows, place)) };
    screen.draw(drawTop(history.rows, choice, place));
  };
  using _keys = terminal.keys((keys) => {
    const next = afterKeys(choice, keys);
    if (next === undefined) ended.abort();
    else {
      choice = next;
      redraw();
    }
  });
  while (!stop.aborted) {
    const seen = await lookAtAll(sidecarsNow(options, context), stop);
    if (stop.aborted) break;
    const isFirst = history === noHistory;
    history = afterLook(history, seen);
    redraw();
    await sleep(isFirst ? Math.min(firstIntervalMs, options.intervalMs) : options.intervalMs, stop);
  }
  return 0;
}
