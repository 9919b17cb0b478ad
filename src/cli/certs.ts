/**
 * `outrider certs`: the workload's certificate as the agent has it and as Envoy really serves it.
 */
import type { Command, CommandContext } from "../command/command.ts";
import type { AgentReport } from "../status/contract/agent-report.ts";
import type { EnvoyCertificates } from "../envoy/admin/admin.ts";
import { unusableCode } from "../command/exit-codes.ts";
import { nameFlag } from "./agent-flags.ts";
import { failedCode } from "./stopped-code.ts";

/** Exit codes for scripts. */
const exitCodes = { good: 0, different: 2 } as const;

const timeoutMs = 5_000;

/** Exit code 0 when all is well, 2 when there is no certificate or Envoy serves another one, 255 without an answer. */
export const certsCommand: Command = {
  name: "certs",
  describe:
    "Show this sidecar's certificates: chain, names, validity, source, next rotation, and what Envoy serves.",
  summary: "Certificates of the sidecar, and what Envoy serves",
  exitCodes: [
    { code: 0, meaning: "Envoy serves the certificate that the agent has" },
    { code: 2, meaning: "there is no certificate, or Envoy serves another one" },
    { code: 255, meaning: "no answer" },
  ],
  flags: { ...nameFlag, json: { type: "boolean", default: false, describe: "Print it as JSON." } },
  async run(args, context) {
    const [{ compareCertificates }, { certsLines }, { locate }] = await Promise.all([
      import("./certs/compare.ts"),
      import("./certs/lines.ts"),
      import("../beside/find-agent.ts"),
    ]);
    const located = locate(args, context);
    if (located === undefined) return unusableCode;
    const { statusPort, adminPort } = located;
    const report = await askAgent(statusPort, context);
    if (report === undefined) return failedCode;
    const envoy = await askEnvoy(adminPort, context);
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

/** The agent's report; undefined, and a line on standard error, when there is none. */
async function askAgent(port: number, context: CommandContext): Promise<AgentReport | undefined> {
  const [{ AgentClient, AgentError }, { reportRoute }] = await Promise.all([
    import("../status/client.ts"),
    import("../status/routes/report.ts"),
  ]);
  try {
    return await AgentClient.onPort(port).ask(reportRoute, { withinMs: timeoutMs });
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    const where = `localhost:${port}${reportRoute.path}`;
    context.printError(
      error.code === "STATUS" ? `${where} answers with ${error.message}` : noAnswer(where, error.message),
    );
    return undefined;
  }
}

/** What Envoy's admin interface tells; undefined, and a line on standard error, when it does not. */
async function askEnvoy(port: number, context: CommandContext): Promise<EnvoyCertificates | undefined> {
  const [{ AdminClient, AdminStatusError }, { errorMessage }] = await Promise.all([
    import("../envoy/admin/admin.ts"),
    import("../lifecycle/error-message.ts"),
  ]);
  const where = `localhost:${port}/certs`;
  try {
    return await new AdminClient({ host: "localhost", port }).certificates(timeoutMs);
  } catch (error) {
    context.printError(
      error instanceof AdminStatusError
        ? `${where} answers with status ${error.status}: ${error.body}`
        : noAnswer(where, errorMessage(error)),
    );
  }
  return undefined;
}

function noAnswer(where: string, reason: string): string {
  return `${where} does not answer: ${reason}. Is this the pod of a running sidecar?`;
}
