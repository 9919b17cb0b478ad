/**
 * `outriderctl dashboard`: the pages of an Envoy, of its agent, or of the whole mesh, in a browser.
 */
import type { Arguments, Command, CommandContext } from "../command/command.ts";
import { unusableCode } from "../command/exit-codes.ts";

const kinds = ["envoy", "agent", "mesh"] as const;

/** How long a browser may take to be started, in milliseconds. */
const timeoutMs = 5_000;

/** Prints the address and opens it. */
export const dashboardCommand: Command = {
  name: "dashboard",
  usage: "<kind> [proxy]",
  wordValues: { kind: kinds },
  describe:
    "Open a page in a browser, and print its address: Envoy's admin interface, the agent's page of its state, or that of the " +
    "mesh of `outrider up`. Examples: outriderctl dashboard envoy web-1.demo; outriderctl dashboard mesh --browser=false",
  summary: "Open the pages of an Envoy, an agent or the mesh",
  exitCodes: [{ code: 0, meaning: "the address was printed; a browser that does not start is no failure" }],
  flags: {
    browser: {
      type: "boolean",
      default: true,
      describe: "Open it too, with xdg-open, where there is a terminal.",
    },
  },
  run: show,
};

async function show(args: Arguments, context: CommandContext): Promise<number> {
  const [word = "", name] = args.words;
  const kind = kinds.find((known) => known === word);
  if (kind === undefined) {
    context.printError(`${word} is not one of ${kinds.join(", ")}`);
    return unusableCode;
  }
  const port = kind === "mesh" ? await meshPort(context) : await agentPort(kind, name, context);
  if (port === undefined) return unusableCode;
  const url = `http://127.0.0.1:${port}/`;
  context.print(url);
  if (args.boolean("browser") && context.terminal !== undefined) await open(url, context);
  return 0;
}

async function meshPort({ env, printError }: CommandContext): Promise<number | undefined> {
  const [{ announcedControlPlanes }, { runtimeFolderHere }] = await Promise.all([
    import("../status/control-plane-announcement.ts"),
    import("../config/runtime-folder.ts"),
  ]);
  const ports = announcedControlPlanes(runtimeFolderHere(env)).flatMap(({ pagePort = [] }) => pagePort);
  const [only, ...others] = ports;
  if (only !== undefined && others.length === 0) return only;
  printError(
    only === undefined
      ? "no mesh of `outrider up` of this user runs here"
      : `several meshes run here, with pages on the ports ${ports.join(", ")}`,
  );
  return undefined;
}

async function agentPort(
  kind: "envoy" | "agent",
  name: string | undefined,
  { env, printError }: CommandContext,
): Promise<number | undefined> {
  const [{ announcedAgents }, { chosen }, { runtimeFolderHere }] = await Promise.all([
    import("../status/announcement.ts"),
    import("../beside/find-agent.ts"),
    import("../config/runtime-folder.ts"),
  ]);
  const nowhere = { configPath: "", statusPort: 0, adminPort: 0, envoyStatusPort: 0 };
  const found = chosen(announcedAgents(runtimeFolderHere(env)), name, nowhere);
  if (found.kind === "found" && found.pid !== undefined)
    return kind === "envoy" ? found.adminPort : found.statusPort;
  printError(
    found.kind === "found"
      ? "no agent of this user runs here"
      : found.problem.replace(/^--name: /, "").replace("choose with --name one of", "name one of"),
  );
  return undefined;
}

async function open(url: string, { printError }: CommandContext): Promise<void> {
  const [{ runCommand }, { Deadline }] = await Promise.all([
    import("../process/command.ts"),
    import("../lifecycle/timer.ts"),
  ]);
  using deadline = new Deadline(timeoutMs);
  const { exit } = await runCommand({ file: "xdg-open", args: [url], signal: deadline.signal });
  if (exit.kind !== "exited" || exit.code !== 0)
    printError("no browser could be started here: open the address yourself");
}
