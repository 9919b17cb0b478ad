/**
 * Help as text: of a program, of a command on one screen, and of a command in full. Pure.
 */
import { acceptedFlags, baseOf, type Command, type Flag, ownFlagsOf, type Program } from "./command.ts";
import { exitCodesOf } from "./exit-codes.ts";
import { fitted, wrapped } from "./wrap.ts";

const columns = 80;

/** Lines of help that are read at once. */
const mostLines = 25;

/** One line for each command of a group; with `isFull` every command, and what it is in full. */
export function programHelp({ name, describe, commands, groups }: Program, isFull = false): string {
  const usage = `${name} COMMAND [flags]`;
  if (isFull) {
    return [
      `${describe} Usage: ${usage}`,
      ...commands.flatMap((command) => [
        "",
        `${name} ${usageOf(command)}`,
        ...wrapped(command.describe, columns - 4).map((line) => `    ${line}`),
      ]),
    ].join("\n");
  }
  const rows = groups.flatMap(({ title, commands: names }) =>
    names.map((command, index) => {
      const summary = commands.find((candidate) => candidate.name === command)?.summary ?? "";
      return `${(index === 0 ? title : "").padEnd(11)}${command.padEnd(17)}${summary}`.trimEnd();
    }),
  );
  return [
    `${describe} Usage: ${usage}`,
    ...rows,
    `Flags, exit codes: ${name} COMMAND --help. All in full: ${name} --help-all`,
  ].join("\n");
}

/** What fits on a screen: the command's own flags, the most wanted first, and its exit codes. */
export function commandHelp(command: Command, program: Program): string {
  const base = baseOf(command, program.commands);
  const call = `${program.name} ${command.name}`;
  const head = [`${program.name} ${usageOf(command)}`, ...wrapped(command.describe, columns)];
  const tail = [
    ...(base === undefined ? [] : [`It takes the flags of ${program.name} ${base.name} as well.`]),
    ...wrapped(
      `Exit codes: ${exitCodesOf(command)
        .map(({ code, meaning }) => `${code} ${meaning}`)
        .join("; ")}.`,
      columns,
    ),
    `All flags, in full: ${call} --help-all`,
  ];
  const flags = ordered(command, ownFlagsOf(command, base), acceptedFlags(program, command)).filter(
    ([, flag]) => !isLegacy(flag),
  );
  const room = mostLines - head.length - tail.length - 2;
  const rows = flagLines(flags, room);
  return [...head, "", ...rows, ...(rows.length === 0 ? [] : [""]), ...tail].join("\n");
}

/** Whole sentences where there is room for them, a line each where there is not, and no more than there is room for. */
function flagLines(flags: readonly Row[], room: number): readonly string[] {
  const lines = (
    rows: readonly Row[],
    layOut: (text: string, width: number) => readonly string[],
  ): string[] => {
    const width = Math.max(0, ...rows.map((row) => term(row).length));
    return rows.flatMap((row) =>
      layOut(meaning(row), columns - width - 4).map(
        (line, index) => `  ${(index === 0 ? term(row) : "").padEnd(width)}  ${line}`,
      ),
    );
  };
  const whole = lines(flags, wrapped);
  if (whole.length <= room) return whole;
  const shown = flags.length <= room ? flags : flags.slice(0, room - 1);
  const rest = flags.length - shown.length;
  return [
    ...lines(shown, (text, width) => [fitted(text, width)]),
    ...(rest === 0 ? [] : [`  … and ${rest} more`]),
  ];
}

/** Everything: each flag in full, in groups. */
export function fullCommandHelp(command: Command, program: Program): string {
  const base = baseOf(command, program.commands);
  const all = ordered(command, Object.entries(command.flags), command.flags);
  const isOwn = ([name, flag]: Row): boolean => base?.flags[name] !== flag;
  const isLog = ([name]: Row): boolean => Object.hasOwn(program.commonFlags, name);
  const current = all.filter(([, flag]) => !isLegacy(flag));
  const groups: readonly (readonly [title: string, rows: readonly Row[]])[] = [
    ["Flags", current.filter((row) => isOwn(row) && !isLog(row))],
    [`Flags of ${program.name} ${base?.name ?? ""}`, current.filter((row) => !isOwn(row) && !isLog(row))],
    ["The log", Object.entries(program.commonFlags)],
    ["Deprecated, or without effect", all.filter(([, flag]) => isLegacy(flag))],
  ];
  return [
    `${program.name} ${usageOf(command)}`,
    ...wrapped(command.describe, columns),
    ...groups.flatMap(([title, rows]) =>
      rows.length === 0 ? [] : ["", `${title}:`, ...rows.flatMap((row) => fullRow(row))],
    ),
    "",
    "Exit codes:",
    ...exitCodesOf(command).flatMap(({ code, meaning: text }) => [
      `  ${code}`,
      ...wrapped(text, columns - 6).map((line) => `      ${line}`),
    ]),
  ].join("\n");
}

/** `wait [flags]`, `request <method> <path> [body] [flags]`, `run [flags] -- CMD [argument…]`. */
export function usageOf({ name, usage, passesOn }: Command): string {
  return [name, usage, "[flags]", passesOn === undefined ? undefined : `-- ${passesOn}`]
    .filter((word) => word !== undefined)
    .join(" ");
}

type Row = readonly [name: string, flag: Flag];

/** The main flags first, the others as they stand. */
function ordered(
  { mainFlags = [] }: Command,
  flags: readonly Row[],
  accepted: Readonly<Record<string, Flag>>,
): readonly Row[] {
  const main = mainFlags.flatMap((name): Row[] => {
    const flag = accepted[name];
    return flag === undefined ? [] : [[name, flag]];
  });
  return [...main, ...flags.filter(([name]) => !mainFlags.includes(name))];
}

/** Taken for the sake of templates that still write it. */
function isLegacy({ describe }: Flag): boolean {
  return /^(Deprecated|Accepted without effect)/.test(describe);
}

function term([name, flag]: Row): string {
  const value = placeholder(flag);
  return `${flag.alias === undefined ? "" : `-${flag.alias}, `}--${name}${value === "" ? "" : ` ${value}`}`;
}

function placeholder({ type, range, values }: Flag): string {
  const words = values?.join("|") ?? "";
  if (words !== "" && words.length <= 20) return words;
  switch (type) {
    case "boolean":
      return "";
    case "number":
      return "N";
    case "string":
      return range === undefined ? "TEXT" : "TIME";
  }
}

function meaning([, { describe, default: value }]: Row): string {
  return value === undefined || value === "" || value === false ? describe : `(${String(value)}) ${describe}`;
}

function fullRow(row: Row): readonly string[] {
  const [, { describe, default: value, also = [], values }] = row;
  const text = [
    describe,
    ...(value === undefined || value === "" ? [] : [`Default: ${String(value)}.`]),
    ...(values === undefined ? [] : [`One of ${values.join(", ")}.`]),
    ...(also.length === 0 ? [] : [`Also set by ${also.join(", ")}.`]),
  ].join(" ");
  return [`  ${term(row)}`, ...wrapped(text, columns - 6).map((line) => `      ${line}`)];
}
