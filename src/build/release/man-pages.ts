/**
 * Manual pages from the commands' data, in mdoc(7). Pure.
 */
import {
  acceptedFlags,
  baseOf,
  type Command,
  type Flag,
  ownFlagsOf,
  type Program,
} from "../../command/command.ts";
import { wrapped } from "../../command/wrap.ts";
import { exitCodesOf } from "../../command/exit-codes.ts";

/** File name and text of each page: one of the program, one of each command. */
export function manPages(program: Program, date: Date): ReadonlyMap<string, string> {
  const pages = [
    [`${program.name}.1`, programPage(program, date)] as const,
    ...program.commands.map(
      (command) => [`${program.name}-${command.name}.1`, commandPage(command, program, date)] as const,
    ),
  ];
  return new Map(pages);
}

function programPage(program: Program, date: Date): string {
  const { name, describe, commands } = program;
  return page([
    ...head(name, describe, date),
    ".Sh SYNOPSIS",
    `.Nm ${name}`,
    ".Ar command",
    ".Op Ar flag ...",
    ".Sh DESCRIPTION",
    ...text(describe),
    ...text("Each command has a page of its own:"),
    ".Bl -tag -width Ds",
    ...commands.flatMap((command) => [`.It Xr ${name}-${command.name} 1`, ...text(command.summary)]),
    ".El",
    ".Sh EXIT STATUS",
    ...text("64 is a wrong command line; the other codes are on the commands' pages."),
  ]);
}

function commandPage(command: Command, program: Program, date: Date): string {
  const base = baseOf(command, program.commands);
  const name = `${program.name}-${command.name}`;
  const common = Object.entries(acceptedFlags(program, command)).filter(
    ([flag]) => Object.hasOwn(program.commonFlags, flag) && !Object.hasOwn(command.flags, flag),
  );
  return page([
    ...head(name, command.summary, date),
    ".Sh SYNOPSIS",
    `.Nm ${program.name} ${command.name}`,
    ...wordsOf(command.usage ?? ""),
    ".Op Ar flag ...",
    ...(command.passesOn === undefined ? [] : [`.Fl - Ar ${escaped(command.passesOn)}`]),
    ".Sh DESCRIPTION",
    ...text(command.describe),
    ".Sh OPTIONS",
    ...(base === undefined
      ? []
      : ["It takes the flags of", `.Xr ${program.name}-${base.name} 1`, "as well."]),
    ".Bl -tag -width Ds",
    ...[...ownFlagsOf(command, base), ...common].flatMap(flagItem),
    `.It Fl h , Fl \\-help , Fl \\-help\\-all`,
    ...text("What it does; the same in full."),
    ".El",
    ".Sh EXIT STATUS",
    ".Bl -tag -width Ds",
    ...exitCodesOf(command).flatMap(({ code, meaning }) => [
      `.It ${escaped(String(code))}`,
      ...text(meaning),
    ]),
    ".El",
    ".Sh SEE ALSO",
    `.Xr ${program.name} 1`,
  ]);
}

function flagItem([name, { alias, type, default: value, values, also = [], describe }]: readonly [
  name: string,
  flag: Flag,
]): readonly string[] {
  const word = type === "boolean" ? "" : ` Ar ${type === "number" ? "number" : "text"}`;
  const short = alias === undefined ? "" : `Fl ${alias} , `;
  return [
    `.It ${short}Fl \\-${escaped(name)}${word}`,
    ...text(describe),
    ...(value === undefined || value === "" ? [] : text(`Default: ${String(value)}.`)),
    ...(values === undefined ? [] : text(`One of ${values.join(", ")}.`)),
    ...(also.length === 0 ? [] : text(`Also set by ${also.join(", ")}.`)),
  ];
}

/** `<method> [body]` as macros. */
function wordsOf(usage: string): readonly string[] {
  return [...usage.matchAll(/([[<])(\w+)/g)].map(([, open = "", word = ""]) =>
    open === "<" ? `.Ar ${word}` : `.Op Ar ${word}`,
  );
}

function head(name: string, about: string, date: Date): readonly string[] {
  const day = date.toLocaleDateString("en-US", {
    year: "numeric",
    month: "long",
    day: "numeric",
    timeZone: "UTC",
  });
  return [
    `.Dd ${day}`,
    `.Dt ${name.toUpperCase()} 1`,
    ".Os",
    ".Sh NAME",
    `.Nm ${name}`,
    `.Nd ${escaped(about.replace(/\.$/, ""))}`,
  ];
}

/** Sentences begin on lines of their own, as mdoc wants them. */
function text(words: string): readonly string[] {
  return escaped(words)
    .split(/(?<=[.!?])\s+(?=[A-Z0-9])/)
    .flatMap((sentence) => wrapped(sentence, 76))
    .map((line) => line.replace(/^(?=[.'])/, "\\&"));
}

function escaped(words: string): string {
  return words.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll("…", "...").replaceAll("`", "\\(ga");
}

function page(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}
