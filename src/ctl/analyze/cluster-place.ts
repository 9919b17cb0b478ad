/**
 * What messages call the place of an object that a cluster has, rather than a file. Pure.
 */

/** Words that begin the name of such a place. */
const prefix = "cluster: ";

/** @param name `VirtualService demo/api` */
export function clusterPlace(name: string): string {
  return `${prefix}${name}`;
}

/** True for such a place. */
export function isOfCluster(source: string): boolean {
  return source.startsWith(prefix);
}

/** Where it is; lines of what a cluster has say nothing to anybody. */
export function placeWords({ source, line }: { readonly source: string; readonly line: number }): string {
  return line === 0 || isOfCluster(source) ? source : `${source}:${line}`;
}
