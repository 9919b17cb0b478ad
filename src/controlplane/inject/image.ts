/** Names of images, as Istio's injector makes them of `global.hub`, `global.tag` and a name. Pure. */
import type { ImageValues } from "./values.ts";

/** Suffixes of tags that are kinds of one image. */
const kinds = ["debug", "distroless"] as const;

/**
 * @param name of the image: one with a registry, a tag or a digest is whole, and stays as it is
 * @param kind such as `distroless`, which takes the place of the tag's own; `default` for none, empty for whatever the tag says
 */
export function imageOf({ hub, tag }: Pick<ImageValues, "hub" | "tag">, name: string, kind: string): string {
  if (/[/:@]/.test(name)) return name;
  const image = `${name}:${tagOf(tag, kind)}`;
  return hub === "" ? image : `${hub}/${image}`;
}

function tagOf(tag: string, kind: string): string {
  if (kind === "") return tag;
  const own = kinds.find((known) => tag.endsWith(`-${known}`));
  const bare = own === undefined ? tag : tag.slice(0, -own.length - 1);
  return kind === "default" ? bare : `${bare}-${kind}`;
}
