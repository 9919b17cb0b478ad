/**
 * `outrider certs`: the workload's certificate as the agent has it and as Envoy really serves it.
 */
import type { AgentReport } from "../agent/report.ts";
import type { Command, CommandContext } from "../command/command.ts";
import type { EnvoyCertificates } from "./certs/compare.ts";
import { failedCode } from "./stopped-code.ts";

/** Exit codes for scripts. */
const exitCodes = { good: 0, different: 2 } as const;

const timeoutMs = 5_000;

/** Exit code 0 when all is well, 2 when there is no certificate or Envoy serves another one, 255 without an answer. */
export const certsCommand: Command = {
  name: "certs",
  describe:
    "Show this sidecar's certificates: chain, names, validity, source, next rotation, and what Envoy serves.",
  flags: { json: { type: "boolean", default: false, describe: "Print it as JSON." } },
  async run(args, context) {
    const [{ compareCertificates }, { certsLines }, { locate }] = await Promise.all([
      import("./certs/compare.ts"),
      import("./certs/lines.ts"),
      import("./sidecar.ts"),
    ]);
    const { statusPort, adminPort } = locate(context);
    const report = await ask<AgentReport>(statusPort, "/debug/status", context);
    if (report === undefined) return failedCode;
    const envoy = await ask<EnvoyCertificates>(adminPort, "/certs", context);
    const served = envoy === undefined ? undefined : compareCertificates(report.identity, envoy);
    if (args.boolean("json")) {
      context.print(JSON.stringify({ version: 1, identity: report.identity, envoy: served }, undefined, 2));
    } else {
      for (const line of certsLines(report.identity, served, new Date())) context.print(line);
    }
    if (served === undefined) return failedCode;
    return served.differences.length === 0 ? exitCodes.good : exitCodes.different;
  },
};

/** The JSON of an answer; undefined, and a line on standard error, when there is none. */
async function ask<T>(port: number, url: string, context: CommandContext): Promise<T | undefined> {
  const [{ fetchHttp }, { errorMessage }] = await Promise.all([
    import("../net/http-client.ts"),
    import("../lifecycle/error-message.ts"),
  ]);
  try {
    const { status, body } = await fetchHttp({ target: { host: "localhost", port }, url, timeoutMs });
    if (status === 200) return JSON.parse(body.toString("utf8")) as T;
    context.printError(
      `localhost:${port}${url} answers with status ${status}: ${body.toString("utf8").trim()}`,
    );
  } catch (error) {
    context.printError(
      `localhost:${port}${url} does not answer: ${errorMessage(error)}. Is this the pod of a running sidecar?`,
    );
  }
  return undefined;
}
