/**
 * Messages inside `google.protobuf.Any`, in protobuf's JSON form.
 */
import type { DescMessage, MessageJsonType } from "@bufbuild/protobuf";
import type { AnyJson } from "@bufbuild/protobuf/wkt";

/** `json` with the type URL of `schema`. */
export function packed<Desc extends DescMessage>(schema: Desc, json: MessageJsonType<Desc>): AnyJson {
  return { "@type": `type.googleapis.com/${schema.typeName}`, ...(json as object) };
}
