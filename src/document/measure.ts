/**
 * What a YAML document comes to when its aliases are written out, without doing so; and keys that come twice.
 *
 * An alias is measured by what its anchor was measured as, so that a few lines that would be billions of values take
 * no longer than others.
 */
import { type Alias, isAlias, isCollection, isMap, isPair, isScalar, type Node, type YAMLMap } from "yaml";

/** What a node comes to. */
interface Extent {
  readonly parts: number;
  readonly depth: number;
}

/** What a document comes to, and the node that makes it wrong. */
export interface Measure extends Extent {
  readonly faults: readonly { readonly node: Node; readonly message: string }[];
  /** What each alias stands for; the library would look through the whole document for every one of them. */
  readonly meant: ReadonlyMap<Alias, Node>;
}

const leaf: Extent = { parts: 1, depth: 0 };

/** @param root of a document whose nodes are nested no deeper than a stack can follow */
export function measure(root: Node): Measure {
  // An anchor stands from where it is written, within its own node too.
  const anchors = new Map<string, { readonly node: Node; readonly extent: Extent | "open" }>();
  const meant = new Map<Alias, Node>();
  const faults: { node: Node; message: string }[] = [];

  const extentOf = (node: unknown): Extent => {
    if (isAlias(node)) {
      const anchored = anchors.get(node.source);
      const message =
        anchored === undefined
          ? `*${node.source} stands for nothing before it`
          : `*${node.source} stands for what it is a part of`;
      if (anchored === undefined || anchored.extent === "open") {
        faults.push({ node, message });
        return leaf;
      }
      meant.set(node, anchored.node);
      return anchored.extent;
    }
    const { anchor } = node as { readonly anchor?: string };
    if (anchor !== undefined) anchors.set(anchor, { node: node as Node, extent: "open" });
    const extent = isCollection(node) ? extentOfItems(node.items) : leaf;
    if (isMap(node)) faults.push(...repeatedKeys(node));
    if (anchor !== undefined) anchors.set(anchor, { node: node as Node, extent });
    return extent;
  };
  const extentOfItems = (items: readonly unknown[]): Extent => {
    let [parts, depth] = [1, 0];
    for (const item of items) {
      for (const child of isPair(item) ? [item.key, item.value] : [item]) {
        if (child === null || child === undefined) continue;
        const extent = extentOf(child);
        parts += extent.parts;
        depth = Math.max(depth, extent.depth);
      }
    }
    return { parts, depth: depth + 1 };
  };

  return { ...extentOf(root), faults, meant };
}

function repeatedKeys(map: YAMLMap): { node: Node; message: string }[] {
  const seen = new Set<unknown>();
  return map.items.flatMap(({ key }) => {
    if (!isScalar(key)) return [];
    const isNew = !seen.has(key.value);
    seen.add(key.value);
    return isNew ? [] : [{ node: key, message: "Map keys must be unique" }];
  });
}
