/**
 * What Envoy says about a bootstrap or a command line that it does not take, as one sentence and a path.
 *
 * Learned from Envoy 1.40: its message is followed by the whole bootstrap, as JSON or as protobuf text, so the
 * sentence has to be cut out; and most of it comes twice, in a log line and once more without a layout.
 */
import { type HostPort, parseHostPort } from "../../net/host-port.ts";
import { fieldOfAddress, fieldOfMessage, fieldOfRules, fieldOfText } from "./bootstrap-field.ts";
import type { EnvoyLine } from "./envoy-output.ts";
import { collapseSpace, outputText } from "./envoy-output.ts";
import { brokenRuleJoint, envoyWords } from "./envoy-words.ts";

/** A configuration that Envoy refused. */
export interface ConfigurationError {
  readonly problem: string;
  /** Path in the bootstrap, where it is known. */
  readonly field: string | undefined;
  /** What was wrong was a flag, not the bootstrap. */
  readonly commandLine: boolean;
}

/** The TCP or UDP address that Envoy found in use. */
export function addressInUse(lines: readonly EnvoyLine[]): HostPort | undefined {
  const match = [...outputText(lines).matchAll(envoyWords.addressInUse)].at(-1);
  return match?.[1] === undefined ? undefined : parseHostPort(match[1]);
}

/** Undefined when the output has no complaint about the configuration. */
export function configurationError(
  lines: readonly EnvoyLine[],
  bootstrap: unknown,
): ConfigurationError | undefined {
  const text = outputText(lines);
  return (
    unknownField(text, bootstrap) ??
    parseError(text, bootstrap) ??
    brokenRule(text, bootstrap) ??
    brokenField(text) ??
    refusedConfig(text, bootstrap) ??
    commandLineError(lines)
  );
}

function unknownField(text: string, bootstrap: unknown): ConfigurationError | undefined {
  const match = envoyWords.unknownFields.exec(text);
  return match?.[1] === undefined ? undefined : parserComplaint(match[1], bootstrap);
}

function parseError(text: string, bootstrap: unknown): ConfigurationError | undefined {
  const match = envoyWords.notParsed.exec(text);
  return match?.[1] === undefined ? undefined : parserComplaint(match[1], bootstrap);
}

/** With path and message, or only the problem. */
function parserComplaint(complaint: string, bootstrap: unknown): ConfigurationError {
  const match = envoyWords.complaint.exec(complaint);
  if (match === null)
    return { problem: complaint, field: mentioned(complaint, bootstrap), commandLine: false };
  const [, at = "", message = "", what = ""] = match;
  const path = at.replaceAll(".<any>", "");
  const unknown = envoyWords.noSuchField.exec(what)?.[1];
  if (unknown === undefined) return { problem: what, field: path, commandLine: false };
  return {
    problem: `there is no field ${unknown} in ${message}`,
    field: `${path}.${unknown}`,
    commandLine: false,
  };
}

function brokenRule(text: string, bootstrap: unknown): ConfigurationError | undefined {
  const match = [...text.matchAll(envoyWords.brokenRules)].at(-1);
  if (match?.[1] === undefined) return undefined;
  const rules = match[1].split(brokenRuleJoint);
  const { message, path } = fieldOfRules(rules);
  const what = envoyWords.rule.exec(rules.at(-1) ?? "")?.[1] ?? match[1];
  // Rules of a packed message are told without the way to it.
  const root = message === "Bootstrap" ? "" : fieldOfMessage(bootstrap, message);
  const field = root === undefined ? `${message}.${path}` : root === "" ? path : `${root}.${path}`;
  return { problem: what, field, commandLine: false };
}

/** The field of a packed message is told without the way to it. */
function brokenField(text: string): ConfigurationError | undefined {
  const match = [...text.matchAll(envoyWords.brokenField)].at(-1);
  if (match === undefined) return undefined;
  const [, name = "", reason = ""] = match;
  return { problem: `${name}: ${reason}`, field: undefined, commandLine: false };
}

function refusedConfig(text: string, bootstrap: unknown): ConfigurationError | undefined {
  const problem = [...text.matchAll(envoyWords.refused)].at(-1)?.[1];
  return problem === undefined
    ? undefined
    : { problem, field: mentioned(problem, bootstrap), commandLine: false };
}

function commandLineError(lines: readonly EnvoyLine[]): ConfigurationError | undefined {
  const told = lines.findLast(
    ({ level, message }) => level === undefined && envoyWords.commandLine.test(message.trim()),
  );
  return told === undefined
    ? undefined
    : { problem: collapseSpace(told.message), field: undefined, commandLine: true };
}

/** The place of a value that a message names: quoted, an address, or at its end. */
function mentioned(problem: string, bootstrap: unknown): string | undefined {
  const named = [...problem.matchAll(/(?<!\w)'([^']+)'/g)].map((match) => match[1] ?? "");
  const atEnd = /: ?([^:]+)$/.exec(problem)?.[1];
  for (const value of [...named, ...(atEnd === undefined ? [] : [atEnd])]) {
    const address = parseHostPort(value);
    const field =
      fieldOfText(bootstrap, value) ??
      (address === undefined ? undefined : fieldOfAddress(bootstrap, address.host, address.port));
    if (field !== undefined) return field;
  }
  return undefined;
}
