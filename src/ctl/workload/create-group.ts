/**
 * A WorkloadGroup from flags, as `istioctl x workload group create` prints it.
 */
import { stringify } from "yaml";
import type { Arguments, CommandContext } from "../../command/command.ts";
import { unusableCode } from "../../command/exit-codes.ts";
import { parseDocuments } from "../../controlplane/config/parse-documents.ts";

/** Print it. */
export function createGroup(args: Arguments, context: CommandContext): number {
  const problems: string[] = [];
  const needed = (flag: string): string => {
    const value = args.optionalString(flag) ?? "";
    if (value === "") problems.push(`--${flag}: is missing`);
    return value;
  };
  const pairs = (flag: string): Record<string, string> => pairsOf(args.strings(flag), flag, problems);
  const metadata = { name: needed("name"), namespace: needed("namespace") };
  const [labels, annotations] = [pairs("labels"), pairs("annotations")];
  const ports = Object.fromEntries(
    Object.entries(pairs("ports")).map(([name, port]) => [name, Number(port)]),
  );
  const group = {
    apiVersion: "networking.istio.io/v1",
    kind: "WorkloadGroup",
    metadata,
    spec: {
      metadata: { ...given("labels", labels), ...given("annotations", annotations) },
      template: { ...given("ports", ports), serviceAccount: args.string("serviceAccount") },
    },
  };
  const text = stringify(group);
  if (problems.length === 0)
    for (const { path, message } of parseDocuments("", text).problems)
      problems.push(`${flagOf(path)}: ${message}`);
  for (const problem of problems) context.printError(problem);
  if (problems.length > 0) return unusableCode;
  for (const line of text.trimEnd().split("\n")) context.print(line);
  return 0;
}

/** `NAME=VALUE,NAME=VALUE`, of one flag or of several. */
function pairsOf(texts: readonly string[], flag: string, problems: string[]): Record<string, string> {
  const pairs = new Map<string, string>();
  for (const part of texts.flatMap((text) => text.split(","))) {
    const equals = part.indexOf("=");
    if (equals > 0) pairs.set(part.slice(0, equals), part.slice(equals + 1));
    else problems.push(`--${flag}: ${JSON.stringify(part)} is not NAME=VALUE`);
  }
  return Object.fromEntries(pairs);
}

function given(name: string, values: object): object {
  return Object.keys(values).length === 0 ? {} : { [name]: values };
}

/** Where the operator has written it. */
function flagOf(path: string): string {
  const [, flag = path] =
    /^(?:metadata|spec\.metadata|spec\.template)\.(name|namespace|labels|annotations|ports|serviceAccount)\b/.exec(
      path,
    ) ?? [];
  return `--${flag}`;
}
