/**
 * How far a release is from the one that a cluster has. Pure.
 */

/** Which way, and how many minor releases. */
export interface Skew {
  readonly direction: "none" | "upgrade" | "downgrade";
  /** Infinity between major releases. */
  readonly minors: number;
}

/** Undefined for what is no version. */
export function skewOf(installed: string, own: string): Skew | undefined {
  const [from, to] = [partsOf(installed), partsOf(own)];
  if (from === undefined || to === undefined) return undefined;
  const at = [0, 1, 2].find((index) => from[index] !== to[index]);
  if (at === undefined) return { direction: "none", minors: 0 };
  const direction = (from[at] ?? 0) < (to[at] ?? 0) ? "upgrade" : "downgrade";
  const minors = at === 0 ? Infinity : Math.abs((from[1] ?? 0) - (to[1] ?? 0));
  return { direction, minors };
}

function partsOf(version: string): readonly number[] | undefined {
  const match = /^v?(\d{1,6})\.(\d{1,6})\.(\d{1,6})(?:[-+].*)?$/.exec(version);
  return match === null ? undefined : match.slice(1).map(Number);
}

/** More than one minor release at a time is not tried by anybody. */
const mostMinors = 1;

/** What an operator has to know of it; undefined where there is nothing. @returns `isFar` for what needs to be forced */
export function skewWords(
  installed: string,
  own: string,
): { readonly text: string; readonly isFar: boolean } | undefined {
  const skew = skewOf(installed, own);
  if (skew === undefined)
    return {
      text: `the cluster has ${installed}, of which it is not known how far it is from ${own}`,
      isFar: false,
    };
  if (skew.direction === "none") return undefined;
  const distance =
    skew.minors === Infinity
      ? "another major release"
      : skew.minors === 0
        ? "the same minor release"
        : `${skew.minors} minor ${skew.minors === 1 ? "release" : "releases"} away`;
  const older = skew.direction === "downgrade" ? "; proxies that are newer than it are not supported" : "";
  return {
    text: `${skew.direction} from ${installed} to ${own}: ${distance}${older}`,
    isFar: skew.minors > mostMinors,
  };
}
