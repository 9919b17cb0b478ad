/** What spans several fields of the Gateway API's routes. */
import { durationMs } from "../forms.ts";
import type {
  GrpcRouteRule,
  GrpcRouteSpec,
  HttpFilter,
  HttpRouteRule,
  HttpRouteSpec,
  ParentRef,
  TcpRouteSpec,
} from "../objects.ts";
import { isRe2 } from "../regular-expressions.ts";
import { type Complaint, duplicates } from "./complaint.ts";

/** Every broken rule of an HTTPRoute. */
export function gatewayApiHttpRoute({ parentRefs, rules = [] }: HttpRouteSpec): readonly Complaint[] {
  return [
    ...ofParents(parentRefs),
    ...rules.flatMap((rule, index) => {
      const path = `spec.rules[${index}]`;
      return [
        ...(rule.matches ?? []).flatMap((match, at) => ofHttpMatch(match, `${path}.matches[${at}]`)),
        ...ofActions(rule, path),
        ...ofRewrites(rule, path),
        ...ofTimeouts(rule, `${path}.timeouts`),
      ];
    }),
  ];
}

/** Every broken rule of a GRPCRoute. */
export function gatewayApiGrpcRoute({ parentRefs, rules = [] }: GrpcRouteSpec): readonly Complaint[] {
  return [
    ...ofParents(parentRefs),
    ...rules.flatMap((rule, index) => {
      const path = `spec.rules[${index}]`;
      return [
        ...(rule.matches ?? []).flatMap((match, at) => ofGrpcMatch(match, `${path}.matches[${at}]`)),
        ...ofActions(rule, path),
      ];
    }),
  ];
}

/** Every broken rule of a TLSRoute or a TCPRoute. */
export function gatewayApiConnectionRoute({ parentRefs, rules }: TcpRouteSpec): readonly Complaint[] {
  return [
    ...ofParents(parentRefs),
    ...rules.flatMap(({ backendRefs }, index) => ofBackends(backendRefs, `spec.rules[${index}].backendRefs`)),
    ...rules
      .slice(1)
      .map((_, index): Complaint => [
        `spec.rules[${index + 1}]`,
        "has no effect: rules[0] takes every connection",
        "warning",
      ]),
  ];
}

function ofParents(refs: readonly ParentRef[] = []): readonly Complaint[] {
  const named = refs.map(({ group, kind, namespace, name, sectionName, port }) =>
    [group, kind, namespace, name, sectionName, port].filter((part) => part !== undefined).join(" "),
  );
  return duplicates(named, "spec.parentRefs", "");
}

function ofBackends(
  refs: readonly { readonly kind?: string | undefined; readonly port?: number | undefined }[],
  path: string,
): readonly Complaint[] {
  return refs.flatMap(({ kind = "Service", port }, index): readonly Complaint[] =>
    port === undefined && ["Service", "Hostname"].includes(kind)
      ? [[`${path}[${index}].port`, `is missing, which a ${kind} needs`]]
      : [],
  );
}

/** The field that each type of filter needs. */
const fieldOf = {
  RequestHeaderModifier: "requestHeaderModifier",
  ResponseHeaderModifier: "responseHeaderModifier",
  RequestMirror: "requestMirror",
  RequestRedirect: "requestRedirect",
  URLRewrite: "urlRewrite",
  CORS: "cors",
  ExtensionRef: "extensionRef",
} as const satisfies Readonly<Record<HttpFilter["type"], keyof HttpFilter>>;

function ofFilters(filters: readonly HttpFilter[], path: string): readonly Complaint[] {
  const single = filters.filter(({ type }) => type !== "RequestMirror" && type !== "ExtensionRef");
  return [
    ...(new Set(single.map(({ type }) => type)).size < single.length
      ? [[path, "has a filter of one type twice, of which one counts: make them one"] as const]
      : []),
    ...filters.flatMap((filter, index): readonly Complaint[] => {
      const field = fieldOf[filter.type];
      const others = Object.values(fieldOf).filter((name) => name !== field && filter[name] !== undefined);
      return [
        ...(filter[field] === undefined
          ? [[`${path}[${index}].${field}`, `is missing, which ${filter.type} needs`] as const]
          : []),
        ...others.map(
          (name) => [`${path}[${index}].${name}`, `does not go with the type ${filter.type}`] as const,
        ),
        ...ofFilter(filter, `${path}[${index}]`),
      ];
    }),
  ];
}

function ofFilter(
  { requestHeaderModifier, responseHeaderModifier, requestMirror, requestRedirect, urlRewrite }: HttpFilter,
  path: string,
): readonly Complaint[] {
  const modifiers = { requestHeaderModifier, responseHeaderModifier };
  const pseudo = Object.entries(modifiers).flatMap(([field, { set = [], add = [], remove = [] } = {}]) => {
    const names = [...[...set, ...add].map(({ name }) => name), ...remove];
    return names
      .filter((name) => name.startsWith(":"))
      .map((name): Complaint => [`${path}.${field}`, `${name} cannot be changed: use URLRewrite`]);
  });
  const { backendRef, percent, fraction } = requestMirror ?? {};
  const code = requestRedirect?.statusCode ?? 302;
  const modified = { requestRedirect, urlRewrite };
  return [
    ...pseudo,
    ...(backendRef === undefined ? [] : ofBackends([backendRef], `${path}.requestMirror.backendRef`)),
    ...(percent !== undefined && fraction !== undefined
      ? [[`${path}.requestMirror.fraction`, "and percent exclude each other: keep one of them"] as const]
      : []),
    ...(fraction !== undefined && fraction.numerator > (fraction.denominator ?? 100)
      ? [[`${path}.requestMirror.fraction`, "is more than the whole"] as const]
      : []),
    ...([301, 302, 303, 307, 308].includes(code)
      ? []
      : [[`${path}.requestRedirect.statusCode`, `${code} is none of 301, 302, 303, 307 and 308`] as const]),
    ...Object.entries(modified).flatMap(([field, { path: modifier } = {}]): readonly Complaint[] => {
      if (modifier === undefined) return [];
      const needed = modifier.type === "ReplaceFullPath" ? "replaceFullPath" : "replacePrefixMatch";
      const other = needed === "replaceFullPath" ? "replacePrefixMatch" : "replaceFullPath";
      return [
        ...(modifier[needed] === undefined
          ? [[`${path}.${field}.path.${needed}`, `is missing, which ${modifier.type} needs`] as const]
          : []),
        ...(modifier[other] === undefined
          ? []
          : [[`${path}.${field}.path.${other}`, `does not go with ${modifier.type}`] as const]),
      ];
    }),
  ];
}

function ofActions(rule: HttpRouteRule | GrpcRouteRule, path: string): readonly Complaint[] {
  const { filters = [], backendRefs = [] } = rule;
  const types = new Set<string>(filters.map(({ type }) => type));
  return [
    ...ofFilters(filters, `${path}.filters`),
    ...ofBackends(backendRefs, `${path}.backendRefs`),
    ...backendRefs.flatMap(({ filters: own = [] }, index) =>
      ofFilters(own, `${path}.backendRefs[${index}].filters`),
    ),
    ...(types.has("RequestRedirect") && types.has("URLRewrite")
      ? [[`${path}.filters`, "may have only one of RequestRedirect and URLRewrite"] as const]
      : []),
    ...(types.has("RequestRedirect") && backendRefs.length > 0
      ? [[`${path}.backendRefs`, "does not go with RequestRedirect, which answers the request"] as const]
      : []),
  ];
}

/** A prefix is replaced where one prefix is matched. */
function ofRewrites({ filters = [], matches = [{}] }: HttpRouteRule, path: string): readonly Complaint[] {
  const [only = {}, ...others] = matches;
  const hasPrefix = others.length === 0 && (only.path?.type ?? "PathPrefix") === "PathPrefix";
  return filters.flatMap(({ requestRedirect, urlRewrite }, index): readonly Complaint[] => {
    const modifier = requestRedirect?.path ?? urlRewrite?.path;
    if (modifier?.type !== "ReplacePrefixMatch" || hasPrefix) return [];
    return [
      [`${path}.filters[${index}]`, "replaces a prefix: the rule needs exactly one match, of a PathPrefix"],
    ];
  });
}

function ofTimeouts({ timeouts = {} }: HttpRouteRule, path: string): readonly Complaint[] {
  const [request = 0, backend = 0] = [timeouts.request, timeouts.backendRequest].map((time) =>
    time === undefined ? 0 : (durationMs(time) ?? 0),
  );
  return request > 0 && backend > request
    ? [[`${path}.backendRequest`, "must not be longer than request"]]
    : [];
}

type HttpRouteMatch = NonNullable<HttpRouteRule["matches"]>[number];

function ofHttpMatch(
  { path: uri, headers, queryParams }: HttpRouteMatch,
  path: string,
): readonly Complaint[] {
  return [
    ...ofPath(uri, `${path}.path`),
    ...ofExpressions(headers, `${path}.headers`),
    ...ofExpressions(queryParams, `${path}.queryParams`),
  ];
}

function ofPath(uri: HttpRouteMatch["path"], path: string): readonly Complaint[] {
  const { type = "PathPrefix", value = "/" } = uri ?? {};
  if (type === "RegularExpression") return isRe2(value) ? [] : [[`${path}.value`, notRe2]];
  if (!value.startsWith("/")) return [[`${path}.value`, "must begin with a slash"]];
  const isOdd = /[?#]|\/\/|\/\.{1,2}(?:\/|$)|%2f/i.test(value);
  return isOdd
    ? [[`${path}.value`, "must be a path without ?, #, // and parts that are . or .., and without %2F"]]
    : [];
}

const notRe2 = "must be a regular expression in RE2's syntax, of a program of at most 32768 steps";

interface Compared {
  readonly type?: "Exact" | "RegularExpression" | undefined;
  readonly value: string;
}

function ofExpressions(items: readonly Compared[] = [], path: string): readonly Complaint[] {
  return items.flatMap(({ type, value }, index): readonly Complaint[] =>
    type === "RegularExpression" && !isRe2(value) ? [[`${path}[${index}].value`, notRe2]] : [],
  );
}

type GrpcRouteMatch = NonNullable<GrpcRouteRule["matches"]>[number];

function ofGrpcMatch({ method, headers }: GrpcRouteMatch, path: string): readonly Complaint[] {
  const expressions = ofExpressions(headers, `${path}.headers`);
  if (method === undefined) return expressions;
  const { type = "Exact", service, method: name } = method;
  if (service === undefined && name === undefined)
    return [...expressions, [`${path}.method`, "needs a service or a method"]];
  const named = { service, method: name };
  const forms = Object.entries(named).flatMap(([field, value]): readonly Complaint[] => {
    if (value === undefined) return [];
    const at = `${path}.method.${field}`;
    if (type === "RegularExpression") return isRe2(value) ? [] : [[at, notRe2]];
    const form = field === "service" ? /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*$/ : /^[A-Za-z_]\w*$/;
    return form.test(value) ? [] : [[at, `is no name of a ${field} in gRPC`]];
  });
  return [...expressions, ...forms];
}
