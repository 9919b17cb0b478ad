/**
 * Small changes of a source, each of which a test should find: a condition turned round, a field left out, a value
 * changed, a step of a chain skipped.
 */
import { type Node, parseSync } from "oxc-parser";

/** One change of one file. */
export interface Mutant {
  /** Line, from 1. */
  readonly line: number;
  /** What it does, for people. */
  readonly what: string;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

type Change = Pick<Mutant, "start" | "end" | "replacement" | "what">;

const turned: Readonly<Record<string, string>> = {
  "===": "!==",
  "!==": "===",
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
};

/** Steps of a chain whose result may stand for what they were called on. */
const skippable: ReadonlySet<string> = new Set([
  "filter",
  "flat",
  "replace",
  "replaceAll",
  "slice",
  "toLowerCase",
  "toReversed",
  "toSorted",
]);

/** Every mutant of a TypeScript source, in its order. */
export function mutantsOf(path: string, source: string): readonly Mutant[] {
  const { program, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message ?? ""}`);
  const text = ({ start, end }: Node): string => source.slice(start, end);
  const changes: Change[] = [];
  walk(program, (node) => {
    changes.push(...changesOf(node, text, source));
  });
  return changes
    .filter(({ start, end, replacement }) => source.slice(start, end) !== replacement)
    .map((change) => ({ ...change, line: source.slice(0, change.start).split("\n").length }))
    .toSorted((a, b) => a.start - b.start);
}

function changesOf(node: Node, text: (node: Node) => string, source: string): readonly Change[] {
  const to = (replacement: string, what: string, at: Node = node): Change => ({
    start: at.start,
    end: at.end,
    replacement,
    what,
  });
  switch (node.type) {
    case "BinaryExpression": {
      const other = turned[node.operator];
      return other === undefined
        ? []
        : [to(`${text(node.left)} ${other} ${text(node.right)}`, `${node.operator} becomes ${other}`)];
    }
    case "LogicalExpression":
      return [
        to(`(${text(node.left)})`, `only the left side of ${node.operator}`),
        to(`(${text(node.right)})`, `only the right side of ${node.operator}`),
      ];
    case "ConditionalExpression":
      return [
        to(`(${text(node.consequent)})`, "the condition always holds"),
        to(`(${text(node.alternate)})`, "the condition never holds"),
      ];
    case "IfStatement":
      return [to("true", "the if always holds", node.test), to("false", "the if never holds", node.test)];
    case "UnaryExpression":
      return node.operator === "!" ? [to(text(node.argument), "without the negation")] : [];
    case "Literal":
      if (typeof node.value === "boolean") return [to(String(!node.value), `${node.value} is turned`)];
      if (typeof node.value === "number") return [to(String(node.value + 1), `${node.value} plus one`)];
      if (typeof node.value === "string")
        return [to(node.value === "" ? '"mutant"' : '""', `${text(node)} is another text`)];
      return [];
    case "TemplateLiteral":
      return [to('""', "the text is empty")];
    case "ObjectExpression":
      return node.properties.map((property) =>
        withoutItem(property, source, `without ${text(property).split("\n")[0] ?? ""}`),
      );
    case "ArrayExpression":
      return node.elements
        .filter((element) => element !== null)
        .map((element) => withoutItem(element, source, `without ${text(element).split("\n")[0] ?? ""}`));
    case "CallExpression": {
      const { callee } = node;
      if (callee.type !== "MemberExpression" || callee.computed) return [];
      const name = text(callee.property);
      if (name === "some" || name === "every")
        return [to(name === "some" ? "every" : "some", `${name} is turned`, callee.property)];
      return skippable.has(name) ? [to(text(callee.object), `without ${name}()`)] : [];
    }
    case "SwitchCase":
      return node.test === null || node.consequent.length === 0
        ? []
        : [to(`case ${text(node.test)}:`, "the case falls through")];
    case "ExpressionStatement":
      return [to(";", `without ${text(node).split("\n")[0] ?? ""}`)];
    default:
      return [];
  }
}

/** Takes the comma behind it as well, so that what is left is a list still. */
function withoutItem({ start, end }: Node, source: string, what: string): Change {
  const comma = /^\s*,/.exec(source.slice(end))?.[0].length ?? 0;
  return { start, end: end + comma, replacement: "", what };
}

/** Nothing that is gone when the program runs. */
const typesOnly: ReadonlySet<string> = new Set([
  "typeAnnotation",
  "returnType",
  "typeParameters",
  "typeArguments",
  "source",
]);

function walk(node: Node, visit: (node: Node) => void): void {
  const isErased = node.type.startsWith("TS") && !("expression" in node);
  if (isErased || node.type === "ImportDeclaration" || node.type === "ImportExpression") return;
  visit(node);
  for (const [key, value] of Object.entries(node)) {
    if (typesOnly.has(key) || (key === "key" && "computed" in node && !node.computed)) continue;
    for (const child of [value].flat() as readonly unknown[]) if (isNode(child)) walk(child, visit);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}
