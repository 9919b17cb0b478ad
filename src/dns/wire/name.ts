/**
 * Names as messages write them (RFC 1035, 3.1): labels with their lengths, here as text of one character per byte and in
 * lower case. Two names are equal exactly when these are, and a suffix begins at a label for sure.
 */

/** Such a text, the root's empty label included. */
export type WireName = string;

/** The root. */
export const root: WireName = "\0";

/** Longest name and longest label, in bytes. */
export const maxNameBytes = 255;
const maxLabelBytes = 63;

/** Of a name with dots, which may end with one; undefined for what no message can hold. */
export function wireName(text: string): WireName | undefined {
  const plain = text.endsWith(".") ? text.slice(0, -1) : text;
  if (plain === "") return text === "." ? root : undefined;
  let wire = "";
  for (const label of plain.split(".")) {
    if (label === "" || label.length > maxLabelBytes || /[^!-~]/.test(label)) return undefined;
    wire += String.fromCharCode(label.length) + label.toLowerCase();
  }
  return wire.length >= maxNameBytes ? undefined : wire + root;
}

/** With dots, without one at the end; a byte that would be read as something else is escaped as in zone files. */
export function dottedName(wire: WireName): string {
  const labels: string[] = [];
  for (let at = 0; at < wire.length;) {
    const length = wire.charCodeAt(at);
    if (length === 0) break;
    labels.push(wire.slice(at + 1, at + 1 + length).replaceAll(/[^!-~]|[.\\]/g, escaped));
    at += 1 + length;
  }
  return labels.length === 0 ? "." : labels.join(".");
}

/** Without its first label; undefined of the root. */
export function parentOf(wire: WireName): WireName | undefined {
  const length = wire.charCodeAt(0);
  return length === 0 ? undefined : wire.slice(1 + length);
}

/** The first, with the second in place of its root. */
export function joined(first: WireName, second: WireName): WireName {
  return first.slice(0, -1) + second;
}

/** What stands before `suffix`, as a name of its own; undefined where it does not end so, or nothing is left. */
export function beforeSuffix(wire: WireName, suffix: WireName): WireName | undefined {
  const start = wire.length - suffix.length;
  if (start <= 0 || !wire.endsWith(suffix)) return undefined;
  let at = 0;
  while (at < start) at += 1 + wire.charCodeAt(at);
  return at === start ? wire.slice(0, start) + root : undefined;
}

function escaped(character: string): string {
  if (character === "." || character === "\\") return `\\${character}`;
  return `\\${String(character.charCodeAt(0)).padStart(3, "0")}`;
}
