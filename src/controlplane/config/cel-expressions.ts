/**
 * Conditions in CEL, which Envoy parses itself: one that it cannot parse costs the whole listener.
 */
import { parse } from "@marcbachmann/cel-js";

/** True for an expression of CEL. Names in it are looked up for each request: any may be asked for. */
export function isCelExpression(expression: string): boolean {
  try {
    parse(expression);
    return true;
  } catch {
    return false;
  }
}
