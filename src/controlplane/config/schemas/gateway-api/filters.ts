/**
 * What happens to requests on their way: filters of HTTPRoute and GRPCRoute.
 */
import { boolean, integer, list, object, oneOf, optional, required, text } from "../../decode.ts";
import { isHeaderName, isHeaderValue, isLine, isLineOrEmpty } from "../../forms.ts";
import { percent, portNumber } from "../common.ts";
import { backendFields, hostname, localRef } from "./references.ts";

export const headerNameText = text("the name of a header", isHeaderName);

const header = object({
  name: required(headerNameText),
  value: required(
    text(
      "a header's value of at most 16384 bytes, in which a percent sign is doubled or begins a command of Envoy's",
      isHeaderValue,
    ),
  ),
});

export const headerModifier = object({
  set: optional(list(header)),
  add: optional(list(header)),
  remove: optional(list(headerNameText)),
});

const mirror = object({
  backendRef: required(object(backendFields)),
  percent: optional(percent),
  fraction: optional(
    object({
      numerator: required(integer(0, 2_147_483_647)),
      denominator: optional(integer(1, 2_147_483_647)),
    }),
  ),
});

const pathModifier = object({
  type: required(oneOf("ReplaceFullPath", "ReplacePrefixMatch")),
  replaceFullPath: optional(text("a path", isLineOrEmpty)),
  replacePrefixMatch: optional(text("a path", isLineOrEmpty)),
});

const origin = text(
  'an origin such as https://shop.example.com, whose host may begin with a wildcard, or "*"',
  (value) => value === "*" || /^[a-z][a-z0-9+.-]*:\/\/(?:\*\.?)?[^/\s?#*]*(?::(?:\d{1,5}|\*))?$/i.test(value),
);

const cors = object({
  allowOrigins: optional(list(origin)),
  allowCredentials: optional(boolean),
  allowMethods: optional(list(text("a method of HTTP, or *", (value) => /^(?:[A-Z]+|\*)$/.test(value)))),
  allowHeaders: optional(list(headerNameText)),
  exposeHeaders: optional(list(headerNameText)),
  maxAge: optional(integer(1, 2_147_483_647)),
});

const redirect = object({
  scheme: optional(oneOf("http", "https")),
  hostname: optional(hostname),
  path: optional(pathModifier),
  port: optional(portNumber),
  statusCode: optional(integer(300, 399)),
});

export const httpFilter = object({
  type: required(
    oneOf(
      "RequestHeaderModifier",
      "ResponseHeaderModifier",
      "RequestMirror",
      "RequestRedirect",
      "URLRewrite",
      "CORS",
      "ExtensionRef",
    ),
  ),
  requestHeaderModifier: optional(headerModifier),
  responseHeaderModifier: optional(headerModifier),
  requestMirror: optional(mirror),
  requestRedirect: optional(redirect),
  urlRewrite: optional(object({ hostname: optional(hostname), path: optional(pathModifier) })),
  cors: optional(cors),
  extensionRef: optional(localRef),
});

export const grpcFilter = object({
  type: required(oneOf("RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "ExtensionRef")),
  requestHeaderModifier: optional(headerModifier),
  responseHeaderModifier: optional(headerModifier),
  requestMirror: optional(mirror),
  extensionRef: optional(localRef),
});

/** A value that may be compared letter by letter, or as an expression. */
export const comparedValue = {
  type: optional(oneOf("Exact", "RegularExpression")),
  value: required(text("text without line breaks", isLine)),
};
