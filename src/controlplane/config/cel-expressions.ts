/**
 * Conditions in CEL, which Envoy compiles itself: one that it cannot compile costs the whole listener.
 *
 * What it takes is less than the language has: its functions are those of the standard without `string()`, and it does not
 * loop, so that there is none of the macros but `has()`.
 */
import { type ASTNode, parse } from "@marcbachmann/cel-js";
import { isRe2 } from "./regular-expressions.ts";

/** What an expression must be, as the rest of a sentence. */
export const celForm =
  "an expression in CEL that Envoy can compile: of its functions, without loops, nested at most 16 deep, with regular expressions in RE2's syntax of at most 96 steps";

/** True for an expression that Envoy compiles. Names in it are looked up for each request: any may be asked for. */
export function isCelExpression(expression: string): boolean {
  if (expression.length > maxLength) return false;
  try {
    const { ast } = parse(expression);
    return depthOf(ast) + bracketsIn(expression) <= maxDepth && isTaken(ast);
  } catch {
    return false;
  }
}

/** Envoy's bound in characters. */
const maxLength = 100_000;

/** Envoy's bound of what its parser goes into, be it a bracket or an operator: here they count together. */
const maxDepth = 32;

/** CEL in Envoy takes programs of 100 steps, a few of which are around each expression; `re2.max_program_size` is not its bound. */
const maxRegexSteps = 96;

/** Envoy's functions and how many arguments they have: with a dot before their name where it stands behind a value. */
const functions: ReadonlyMap<string, readonly number[]> = new Map<string, readonly number[]>([
  ...["size", "type", "dyn", "int", "uint", "double", "bytes", "bool", "duration", "timestamp"].map(
    (name) => [name, [1]] as const,
  ),
  ...["startsWith", "endsWith", "contains", "matches"].flatMap(
    (name) =>
      [
        [name, [2]],
        [`.${name}`, [1]],
      ] as const,
  ),
  [".size", [0]],
  ["re.capture", [2]],
  ["re.captureN", [2]],
  ["re.extract", [3]],
  ...["Date", "DayOfMonth", "DayOfWeek", "DayOfYear", "FullYear", "Hours"].map(
    (part) => [`.get${part}`, [0, 1]] as const,
  ),
  ...["Milliseconds", "Minutes", "Month", "Seconds"].map((part) => [`.get${part}`, [0, 1]] as const),
]);

/** Words that are no names (CEL's language definition), and that the parser here takes for some. */
const reserved: ReadonlySet<string> = new Set([
  ...["as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop"],
  ...["package", "namespace", "return", "var", "void", "while"],
]);

/** True where all that an expression asks for is there. */
function isTaken(node: ASTNode): boolean {
  return isTakenItself(node) && partsOf(node).every(isTaken);
}

function isTakenItself(node: ASTNode): boolean {
  switch (node.op) {
    case "value":
      return typeof node.args !== "bigint" || node.args < 2n ** 63n;
    case "id":
      return !reserved.has(node.args);
    case "!_":
      return node.args.op !== "-_";
    case "-_":
      return node.args.op !== "!_";
    case ".?":
    case "[?]":
      return false;
    case "call": {
      const [name, args] = node.args;
      // Whether a field is there is asked of a field only.
      if (name === "has") return args.length === 1 && args[0]?.op === ".";
      return isCall(name, args, args[1]);
    }
    case "rcall": {
      const [name, of, args] = node.args;
      const isOfRe = of.op === "id" && of.args === "re" && functions.has(`re.${name}`);
      if (isOfRe) return isCall(`re.${name}`, args, undefined);
      return isCall(`.${name}`, args, args[0]);
    }
    default:
      return true;
  }
}

/** @param second of the values that a function compares; one that is written out is compiled beforehand */
function isCall(name: string, args: readonly ASTNode[], second: ASTNode | undefined): boolean {
  if (functions.get(name)?.includes(args.length) !== true) return false;
  const expression = second?.op === "value" ? second.args : undefined;
  return !name.endsWith("matches") || typeof expression !== "string" || isRe2(expression, maxRegexSteps);
}

/** Operators and what they are of, one in another. Envoy halves a chain of `&&` or `||` until there are pairs. */
function depthOf(node: ASTNode): number {
  const { op } = node;
  const parts = op === "&&" || op === "||" ? chainOf(node, op) : partsOf(node);
  const halvings = op === "&&" || op === "||" ? Math.ceil(Math.log2(parts.length)) : 1;
  return parts.reduce((deepest, part) => Math.max(deepest, depthOf(part) + halvings), 1);
}

function chainOf(node: ASTNode, op: "&&" | "||"): readonly ASTNode[] {
  const chain: ASTNode[] = [];
  let first = node;
  for (; first.op === op; [first] = first.args) chain.push(first.args[1]);
  return [first, ...chain];
}

function partsOf(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case "value":
    case "id":
      return [];
    case ".":
    case ".?":
      return [node.args[0]];
    case "!_":
    case "-_":
      return [node.args];
    case "call":
      return node.args[1];
    case "rcall":
      return [node.args[1], ...node.args[2]];
    case "map":
      return node.args.flat();
    default:
      return node.args;
  }
}

/** Text between quotes and what is said beside the expression. */
const quoted =
  /[rR][bB]?(?:"""[^]*?"""|'''[^]*?'''|"[^"]*"|'[^']*')|"""(?:\\[^]|[^])*?"""|'''(?:\\[^]|[^])*?'''|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\/\/[^\n]*/g;

/** How many brackets are in each other at most. */
function bracketsIn(expression: string): number {
  let [open, most] = [0, 0];
  for (const character of expression.replaceAll(quoted, "")) {
    if ("([{".includes(character)) open += 1;
    else if (")]}".includes(character)) open -= 1;
    most = Math.max(most, open);
  }
  return most;
}
