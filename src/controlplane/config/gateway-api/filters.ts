/**
 * Filters of the Gateway API, as VirtualServices say the same.
 */
import type { HeadersSpec, HttpFilter, HttpRoute, StringMatch } from "../objects.ts";
import { backendOf, type BackendContext } from "./backends.ts";
import type { Fault } from "./conditions.ts";

/** Parts of a route; `fails` where the API wants its requests to fail, because a filter cannot be applied. */
export interface Filtered {
  readonly parts: Pick<HttpRoute, "corsPolicy" | "headers" | "mirrors" | "redirect" | "rewrite">;
  readonly fails: boolean;
  readonly faults: readonly Fault[];
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export function filtered(filters: readonly HttpFilter[], path: string, context: BackendContext): Filtered {
  const parts: Mutable<Filtered["parts"]> = {};
  const faults: Fault[] = [];
  let fails = false;
  for (const [index, filter] of filters.entries()) {
    const at = `${path}.filters[${index}]`;
    if (filter.requestHeaderModifier !== undefined)
      parts.headers = { ...parts.headers, request: headerOperations(filter.requestHeaderModifier) };
    if (filter.responseHeaderModifier !== undefined)
      parts.headers = { ...parts.headers, response: headerOperations(filter.responseHeaderModifier) };
    if (filter.requestRedirect !== undefined) parts.redirect = redirectOf(filter.requestRedirect);
    if (filter.urlRewrite !== undefined) {
      const rewrite = rewriteOf(filter.urlRewrite);
      if (rewrite !== undefined) parts.rewrite = rewrite;
    }
    if (filter.cors !== undefined) parts.corsPolicy = corsOf(filter.cors);
    if (filter.requestMirror !== undefined) {
      const { backendRef, ...share } = filter.requestMirror;
      const { destination, fault } = backendOf(backendRef, `${at}.requestMirror.backendRef`, context);
      // A copy that leads nowhere is none.
      if (fault === undefined)
        parts.mirrors = [...(parts.mirrors ?? []), { destination, ...percentageOf(share) }];
      else faults.push(fault);
    }
    if (filter.extensionRef !== undefined) {
      const { group, kind, name } = filter.extensionRef;
      const message = `${kind} ${name} of ${group} is no filter that this control plane knows: these requests fail (500)`;
      faults.push({ path: `${at}.extensionRef`, type: "Accepted", reason: "UnsupportedValue", message });
      fails = true;
    }
  }
  return { parts, fails, faults };
}

type HeaderModifier = NonNullable<HttpFilter["requestHeaderModifier"]>;

function headerOperations({ set, add, remove }: HeaderModifier): NonNullable<HeadersSpec["request"]> {
  return {
    ...(set === undefined ? {} : { set: byName(set) }),
    ...(add === undefined ? {} : { add: byName(add) }),
    ...(remove === undefined ? {} : { remove }),
  };
}

/** Of several of one name the first counts. */
export function byName<Value>(
  items: readonly { readonly name: string; readonly value: Value }[],
): Readonly<Record<string, Value>> {
  const values = new Map<string, Value>();
  for (const { name, value } of items) {
    const key = name.toLowerCase();
    if (!values.has(key)) values.set(key, value);
  }
  return Object.fromEntries(values);
}

type Mirror = NonNullable<HttpFilter["requestMirror"]>;

function percentageOf({ percent, fraction }: Omit<Mirror, "backendRef">): {
  readonly percentage?: { readonly value: number };
} {
  if (fraction !== undefined) {
    const value = (100 * fraction.numerator) / (fraction.denominator ?? 100);
    return { percentage: { value: Math.min(value, 100) } };
  }
  return percent === undefined ? {} : { percentage: { value: percent } };
}

function rewriteOf({ hostname, path }: NonNullable<HttpFilter["urlRewrite"]>): HttpRoute["rewrite"] {
  const rewrite = {
    ...(hostname === undefined ? {} : { authority: hostname }),
    ...(path?.type === "ReplacePrefixMatch" ? { uri: prefixOf(path.replacePrefixMatch) } : {}),
    ...(path?.type === "ReplaceFullPath"
      ? { uriRegexRewrite: { match: "/.*", rewrite: path.replaceFullPath?.replaceAll("\\", "\\\\") ?? "" } }
      : {}),
  };
  return Object.keys(rewrite).length === 0 ? undefined : rewrite;
}

/** A slash at the end does not count; one alone takes the prefix away. */
function prefixOf(path = ""): string {
  return path.replace(/\/$/, "") || "/";
}

/** The port of the request, unless the scheme or the rule says another. */
function redirectOf(
  redirect: NonNullable<HttpFilter["requestRedirect"]>,
): NonNullable<HttpRoute["redirect"]> {
  const { scheme, hostname, path, port, statusCode = 302 } = redirect;
  return {
    ...(scheme === undefined ? {} : { scheme }),
    ...(hostname === undefined ? {} : { authority: hostname }),
    ...(port === undefined
      ? { derivePort: scheme === undefined ? "FROM_REQUEST_PORT" : "FROM_PROTOCOL_DEFAULT" }
      : { port }),
    ...(path?.replaceFullPath === undefined ? {} : { uri: path.replaceFullPath }),
    ...(path?.replacePrefixMatch === undefined ? {} : { prefixRewrite: prefixOf(path.replacePrefixMatch) }),
    redirectCode: statusCode,
  };
}

function corsOf(cors: NonNullable<HttpFilter["cors"]>): NonNullable<HttpRoute["corsPolicy"]> {
  const { allowOrigins, allowCredentials, allowMethods, allowHeaders, exposeHeaders, maxAge } = cors;
  return {
    ...(allowOrigins === undefined ? {} : { allowOrigins: allowOrigins.map(originMatch) }),
    ...(allowCredentials === true ? { allowCredentials } : {}),
    ...(allowMethods === undefined ? {} : { allowMethods }),
    ...(allowHeaders === undefined ? {} : { allowHeaders }),
    ...(exposeHeaders === undefined ? {} : { exposeHeaders }),
    ...(maxAge === undefined ? {} : { maxAge: `${maxAge}s` }),
    unmatchedPreflights: "IGNORE",
  };
}

/** A wildcard is any text; alone, it is every origin (RFC 6454, section 7). */
function originMatch(origin: string): StringMatch {
  if (origin === "*") return { regex: "[a-zA-Z][a-zA-Z0-9+.-]*://[^/\\s?#]+" };
  if (!origin.includes("*")) return { exact: origin };
  return { regex: origin.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*") };
}
