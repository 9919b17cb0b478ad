/**
 * Messages inside `google.protobuf.Any`, in protobuf's JSON form.
 */
import type { DescMessage, MessageJsonType } from "@bufbuild/protobuf";
import type { AnyJson } from "@bufbuild/protobuf/wkt";

/** How `Any`s and lists of types name a message. */
export function typeUrlOf({ typeName }: Pick<DescMessage, "typeName">): string {
  return `type.googleapis.com/${typeName}`;
}

/** `json` with the type URL of `schema`. */
export function packed<Desc extends DescMessage>(schema: Desc, json: MessageJsonType<Desc>): AnyJson {
  return { "@type": typeUrlOf(schema), ...(json as object) };
}
