/**
 * The tables of flags, environment variables and endpoints in the rooms' pages, made from the code that reads them.
 */
import { statusRoutes } from "../agent/status-routes.ts";
import { baseOf, type Command, ownFlagsOf } from "../command/command.ts";
import { exitCodesOf } from "../command/exit-codes.ts";
import type { Decoder } from "../controlplane/config/decode.ts";
import type { Kinds } from "../controlplane/config/objects.ts";
import { kinds, writtenKind } from "../controlplane/config/schema.ts";
import { meshConfig } from "../controlplane/config/schemas/mesh-config.ts";
import type { Field } from "../config/proxy-config/field.ts";
import { proxyConfigFields } from "../config/proxy-config/schema.ts";
import { describeDurationRange, describeRange } from "../schema/range.ts";
import { variables } from "../config/sources/environment.ts";
import { unreadVariables } from "../config/sources/unread-variables.ts";
import type { Scope } from "../status/contract/route.ts";

/** A page that carries tables. */
export interface ReferencePage {
  /** Relative to the repository. */
  readonly path: string;
  /** By the names in their markers, `<!-- begin flags -->` … `<!-- end flags -->`. */
  readonly tables: Readonly<Record<string, string>>;
}

/** Who may ask, in the table of endpoints. */
const askers: Readonly<Record<Scope, string>> = {
  everybody: "all",
  scrapers: "all, or loopback with `METRICS_LOCALHOST_ACCESS_ONLY`",
  loopback: "loopback",
};

/** Every page, with its tables made anew. */
export function referencePages(
  commands: readonly Command[],
  operators: readonly Command[],
): readonly ReferencePage[] {
  return [
    { path: "src/cli/README.md", tables: commandTables("outrider", commands) },
    { path: "src/ctl/README.md", tables: commandTables("outriderctl", operators) },
    { path: "README.md", tables: { "exit-codes": exitCodesOfProxy(commands) } },
    {
      path: "src/config/README.md",
      tables: { environment: environmentTable(), unread: unreadTable(), "proxy-config": proxyConfigTable() },
    },
    { path: "src/controlplane/config/FIELDS.md", tables: { objects: objectTables() } },
    { path: "src/status/README.md", tables: { endpoints: endpointTable() } },
  ];
}

function commandTables(program: string, commands: readonly Command[]): Readonly<Record<string, string>> {
  return {
    flags: commands.map((command) => flagTable(program, command, commands)).join("\n\n"),
    "exit-codes": exitCodeTable(commands),
  };
}

/** The text of a page with every table between its markers made anew. @throws Error when a marker is missing */
export function withTables(text: string, { path, tables }: ReferencePage): string {
  return Object.entries(tables).reduce((page, [name, made]) => {
    const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
    const [from, to] = [page.indexOf(begin), page.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`${path} lacks ${begin} … ${end}`);
    return `${page.slice(0, from + begin.length)}\n\n${made}\n\n${page.slice(to)}`;
  }, text);
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** A command that takes all the flags of another one refers to it. */
function flagTable(program: string, command: Command, commands: readonly Command[]): string {
  const base = baseOf(command, commands);
  const own = ownFlagsOf(command, base);
  const others = Math.max(...own.map(([, { also }]) => also?.length ?? 0));
  const rows = own.map(([name, flag]) => [
    `\`--${name}\``,
    flag.default === undefined || flag.default === "" ? "" : `\`${String(flag.default)}\``,
    ...(others > 0 ? [(flag.also ?? []).map((other) => `\`${other}\``).join(", ")] : []),
    cell(flag.describe),
  ]);
  const header = [
    "flag",
    "default",
    ...(others > 0 ? [others > 1 ? "variable, annotation" : "variable"] : []),
    "meaning",
  ];
  const words = [
    command.name,
    command.usage,
    command.passesOn === undefined ? undefined : `-- ${command.passesOn}`,
  ];
  const title = `**\`${program} ${words.filter((word) => word !== undefined).join(" ")}\`** — ${command.describe}`;
  const described =
    base === undefined ? title : `${title} Takes the flags of \`${program} ${base.name}\`, and:`;
  return rows.length === 0 ? described : `${described}\n\n${table(header, rows)}`;
}

/** Every command but `proxy`, whose codes are on the first page. */
function exitCodeTable(commands: readonly Command[]): string {
  const rows = commands
    .filter(({ name }) => name !== "proxy")
    .map((command) => [
      `\`${command.name}\``,
      cell(
        exitCodesOf(command)
          .map(({ code, meaning }) => `${code}: ${meaning}`)
          .join("; "),
      ),
    ]);
  return table(["command", "code"], rows);
}

function exitCodesOfProxy(commands: readonly Command[]): string {
  const codes = commands.find(({ name }) => name === "proxy")?.exitCodes ?? [];
  return table(
    ["code", "of `outrider proxy`"],
    codes.map(({ code, meaning }) => [String(code), cell(meaning)]),
  );
}

/** The fields that the control plane reads of each kind, as its decoders have them: a section per kind, a line per field. */
function objectTables(): string {
  const ofKinds = Object.entries(kinds).map(([kind, { group, versions, spec, isBare }]) => {
    const served = versions.map((version) => `\`${group === "" ? version : `${group}/${version}`}\``);
    const where = isBare === true ? "the object" : "`spec`";
    const title = `${writtenKind(kind as keyof Kinds)} of ${group === "" ? "Kubernetes" : group}`;
    return fieldSection(title, `${served.join(", ")}; fields of ${where}:`, spec);
  });
  const ofMesh = fieldSection("MeshConfig", "In a file or a ConfigMap; its fields:", meshConfig);
  return [...ofKinds, ofMesh].join("\n\n");
}

function fieldSection(title: string, words: string, decoder: Decoder<unknown>): string {
  const fields = describeFields(decoder).map((field) => `- \`${field}\``);
  return [`## ${title}`, words, fields.join("\n")].join("\n\n");
}

/** `http[].match[].uri`: a list in brackets, the names of a mapping as a star. */
function describeFields(decoder: Decoder<unknown>): readonly string[] {
  const { shape } = decoder;
  switch (shape?.kind) {
    case undefined:
      return [""];
    case "list":
      return describeFields(shape.of).map((rest) => `[]${rest === "" ? "" : `.${rest}`}`.replace(".[", "["));
    case "mapping":
      return describeFields(shape.of).map((rest) => `.*${rest === "" ? "" : `.${rest}`}`);
    case "object":
      return Object.entries(shape.fields).flatMap(([name, { decode }]) =>
        describeFields(decode).map(
          (rest) => `${name}${rest === "" || /^[.[]/.test(rest) ? rest : `.${rest}`}`,
        ),
      );
  }
}

function environmentTable(): string {
  const rows = Object.entries(variables).map(([name, { defaultText, describe }]) => [
    `\`${name}\``,
    defaultText === "" ? "" : `\`${defaultText}\``,
    cell(describe),
  ]);
  return table(["variable", "default", "meaning"], rows);
}

function proxyConfigTable(): string {
  const rows = Object.entries<Field>(proxyConfigFields).map(([name, field]) => {
    const fallback = field.default ?? field.unset;
    // An empty list or mapping is nothing to tell.
    const shown = typeof fallback === "object" || fallback === undefined ? "" : JSON.stringify(fallback);
    const plain = shown.replaceAll('"', "");
    return [
      `\`${name}\``,
      plain === "" ? "" : `\`${plain}\``,
      cell(`${describeField(field)}${field.isMergedByKey === true ? ", laid together key by key" : ""}`),
      cell(field.describe ?? ""),
    ];
  });
  return table(["field", "default", "holds", "meaning"], rows);
}

/** Field and range in words; a message's fields are Istio's. */
function describeField(field: Field): string {
  switch (field.kind) {
    case "integer":
    case "number":
      return field.range.noun === undefined
        ? `a number ${describeRange(field.range)}`
        : describeRange(field.range);
    case "duration":
      return describeDurationRange(field.range).replace(/, such as .*$/, "");
    case "choice":
      return field.names.join(", ");
    case "map":
      return "names to values";
    case "list":
      return "a list";
    case "message":
      return Object.keys(field.fields).join(", ");
    case "address":
      return "host:port";
    case "flag":
      return "true or false";
    case "text":
      return "text";
  }
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
  const rows = statusRoutes.map(({ method, path, scope, describe }) => [
    `\`${method} ${path}\``,
    askers[scope],
    cell(describe),
  ]);
  return table(["request", "from", "answer"], rows);
}
