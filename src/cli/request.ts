/**
 * `outrider request`: one request to a port of the sidecar, for tools that run it inside the pod.
 */
import { unusableCode } from "../command/exit-codes.ts";
import { nameFlag } from "./agent-flags.ts";
import { ports } from "../schema/range.ts";
import type { Command, CommandContext } from "../command/command.ts";
import { failedCode } from "./stopped-code.ts";

/** Ports that pilot-agent allows: Envoy's admin, istiod's debug port, the status port and Envoy's readiness. */
const istioPorts = [15000, 15004, 15020, 15021];

const timeoutMs = 60_000;

/** Prints the body and nothing else, as tools parse it. Exit code 255 for a status above 399 other than 404. */
export const requestCommand: Command = {
  name: "request",
  usage: "<method> <path> [body]",
  wordValues: { method: ["GET", "POST"] },
  describe: "Make a request to a port of this pod's sidecar and print the body.",
  summary: "Ask a port of the sidecar, print the answer",
  exitCodes: [
    { code: 0, meaning: "the answer, and nothing else, was printed" },
    { code: 255, meaning: "a status above 399 other than 404, or no answer" },
  ],
  flags: {
    ...nameFlag,
    "debug-port": {
      type: "number",
      range: ports,
      describe: "Port on localhost (default 15000, or the one that ProxyConfig gives the admin interface).",
    },
  },
  async run(args, context) {
    let port = args.optionalNumber("debug-port");
    // A hook names one of these, whatever agents have said that they are here.
    if (port === undefined || !istioPorts.includes(port)) {
      const { locate } = await import("../beside/find-agent.ts");
      const location = locate(args, context);
      if (location === undefined) return unusableCode;
      port ??= location.adminPort;
      const ports = new Set([
        ...istioPorts,
        ...[location.adminPort, location.statusPort, location.envoyStatusPort],
      ]);
      if (!ports.has(port)) {
        context.printError(`debug port ${port} is not in allowed list [${[...ports].join(" ")}]`);
        return failedCode;
      }
    }
    const [method = "", path = "", body] = args.words;
    const problem = await ask({ method, path, body, port }, context);
    if (problem === undefined) return 0;
    context.printError(problem);
    return failedCode;
  },
};

interface Question {
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
  readonly port: number;
}

/** Why there is no usable answer; undefined when it was printed. */
async function ask(question: Question, context: CommandContext): Promise<string | undefined> {
  const [{ fetchHttp }, { errorMessage }] = await Promise.all([
    import("../net/http-client.ts"),
    import("../lifecycle/error-message.ts"),
  ]);
  const { method, path, port } = question;
  try {
    const response = await fetchHttp({
      target: { host: "localhost", port },
      method,
      url: `/${path.replace(/^\//, "")}`,
      timeoutMs,
      signal: context.shutdown,
      ...(question.body === undefined ? {} : { body: question.body }),
    });
    const body = response.body.toString("utf8");
    if (response.status > 399 && response.status !== 404) {
      return `received unsuccessful status code ${response.status}: ${body}`;
    }
    context.print(body);
    return undefined;
  } catch (error) {
    return `${method} http://localhost:${port}/${path.replace(/^\//, "")}: ${errorMessage(error)}`;
  }
}
