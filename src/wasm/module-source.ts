/**
 * Where a module comes from, read from its URL. Pure.
 */
import { type ImageReference, parseImageReference } from "./registry/image-reference.ts";

/** A place of modules. */
export type ModuleSource =
  | { readonly kind: "http"; readonly url: URL; readonly name: string }
  | { readonly kind: "image"; readonly image: ImageReference; readonly name: string };

const scheme = "oci://";

/** Read `http://`, `https://`, `oci://` or an image without a scheme; undefined when it is none of them. */
export function parseModuleUrl(text: string): ModuleSource | undefined {
  if (/^https?:\/\//i.test(text)) {
    const url = URL.parse(text);
    return url === null ? undefined : { kind: "http", url, name: text };
  }
  const reference = text.startsWith(scheme) ? text.slice(scheme.length) : text;
  const image = parseImageReference(reference);
  if (image === undefined) return undefined;
  return { kind: "image", image, name: `${scheme}${image.registry}/${image.repository}` };
}

/** A module's URL for people: without credentials and without a query, which may hold some. */
export function describeUrl(text: string): string {
  const url = /^https?:\/\//i.test(text) ? URL.parse(text) : null;
  return url === null ? text.slice(0, 512) : `${url.origin}${url.pathname}`;
}
