/**
 * The README's tables of flags, environment variables and endpoints, made from the code that reads them.
 */
import type { Command } from "../command/command.ts";
import { variables } from "../config/sources/environment.ts";
import { unreadVariables } from "../config/sources/unread-variables.ts";
import { endpoints } from "../status/server.ts";

/** The README with every table between its markers made anew. */
export function withReferenceTables(readme: string, commands: readonly Command[]): string {
  const tables: Readonly<Record<string, string>> = {
    flags: commands.map((command) => flagTable(command, commands)).join("\n\n"),
    environment: environmentTable(),
    unread: unreadTable(),
    endpoints: endpointTable(),
  };
  return Object.entries(tables).reduce((text, [name, table]) => replaceBetween(text, name, table), readme);
}

function replaceBetween(text: string, name: string, table: string): string {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`README.md lacks ${begin} … ${end}`);
  return `${text.slice(0, from + begin.length)}\n\n${table}\n\n${text.slice(to)}`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** A command that takes all the flags of another one refers to it. */
function flagTable(command: Command, commands: readonly Command[]): string {
  const base = commands.find((other) => takesAllOf(command, other));
  const rows = Object.entries(command.flags)
    .filter(([name, flag]) => base?.flags[name] !== flag)
    .map(([name, flag]) => [
      `\`--${name}\``,
      flag.default === undefined || flag.default === "" ? "" : `\`${String(flag.default)}\``,
      cell(flag.describe),
    ]);
  const words = [
    command.name,
    command.usage,
    command.passesOn === undefined ? undefined : `-- ${command.passesOn}`,
  ];
  const title = `**\`outrider ${words.filter((word) => word !== undefined).join(" ")}\`** — ${command.describe}`;
  const described =
    base === undefined ? title : `${title} Takes the flags of \`outrider ${base.name}\`, and:`;
  return rows.length === 0 ? described : `${described}\n\n${table(["flag", "default", "meaning"], rows)}`;
}

function takesAllOf(command: Command, other: Command): boolean {
  const flags = Object.entries(other.flags);
  return command !== other && flags.length > 0 && flags.every(([name, flag]) => command.flags[name] === flag);
}

function environmentTable(): string {
  const rows = Object.entries(variables).map(([name, { kind, default: fallback, describe }]) => [
    `\`${name}\``,
    fallback === "" || kind.startsWith("a duration") ? "" : `\`${String(fallback)}\``,
    cell(describe),
  ]);
  return table(["variable", "default", "meaning"], rows);
}

function unreadTable(): string {
  const rows = Object.entries(unreadVariables).map(([name, { kind, because }]) => [
    `\`${name}\``,
    kind,
    cell(because),
  ]);
  return table(["variable", "why", "reason"], rows);
}

function endpointTable(): string {
  const rows = endpoints.map(({ method, path, loopbackOnly, describe }) => [
    `\`${method} ${path}\``,
    loopbackOnly ? "loopback" : "all",
    cell(describe),
  ]);
  return table(["request", "from", "answer"], rows);
}
