/**
 * What filters do to the requests of a route: faults, and answers to other origins.
 */
import type { FractionalPercentJson } from "../../proto/envoy/envoy/type/v3/percent_pb.js";
import type { RouteJson } from "../../proto/envoy/envoy/config/route/v3/route_components_pb.js";
import { CorsPolicySchema } from "../../proto/envoy/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import { HTTPFaultSchema } from "../../proto/envoy/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { durationMs, grpcStatuses } from "../config/forms.ts";
import type { HttpRoute } from "../config/objects.ts";
import { packed } from "./any.ts";
import { jsonDuration } from "./durations.ts";
import { corsFilter, faultFilter } from "./filters.ts";
import { stringMatcher } from "./route-match.ts";

/** A share in percent as millionths. */
export function perMillion(percent: number): FractionalPercentJson {
  return { numerator: Math.round(percent * 10_000), denominator: "MILLION" };
}

/** Undefined when no filter does anything. */
export function filtersOf(route: HttpRoute): RouteJson["typedPerFilterConfig"] {
  const filters = {
    ...(route.fault === undefined ? {} : { [faultFilter]: fault(route.fault) }),
    ...(route.corsPolicy === undefined ? {} : { [corsFilter]: cors(route.corsPolicy) }),
  };
  return Object.keys(filters).length === 0 ? undefined : filters;
}

function fault({ delay, abort }: NonNullable<HttpRoute["fault"]>): ReturnType<typeof packed> {
  const grpcStatus = abort?.grpcStatus === undefined ? undefined : grpcStatuses.indexOf(abort.grpcStatus);
  return packed(HTTPFaultSchema, {
    // Unless it is said, no request is delayed and every one is aborted (Istio's API reference).
    ...(delay === undefined
      ? {}
      : {
          delay: {
            fixedDelay: jsonDuration(delay.fixedDelay),
            percentage: perMillion(delay.percentage?.value ?? delay.percent ?? 0),
          },
        }),
    ...(abort === undefined
      ? {}
      : {
          abort: {
            ...(abort.httpStatus === undefined ? {} : { httpStatus: abort.httpStatus }),
            ...(grpcStatus === undefined ? {} : { grpcStatus }),
            percentage: perMillion(abort.percentage?.value ?? 100),
          },
        }),
  });
}

function cors(policy: NonNullable<HttpRoute["corsPolicy"]>): ReturnType<typeof packed> {
  const { allowOrigins, allowMethods, allowHeaders, exposeHeaders, maxAge, allowCredentials } = policy;
  const listed = { allowMethods, allowHeaders, exposeHeaders };
  const joined = Object.entries(listed).flatMap(([name, list]) =>
    list === undefined || list.length === 0 ? [] : [[name, list.join()] as const],
  );
  return packed(CorsPolicySchema, {
    ...(allowOrigins === undefined ? {} : { allowOriginStringMatch: allowOrigins.map(stringMatcher) }),
    ...Object.fromEntries(joined),
    ...(maxAge === undefined ? {} : { maxAge: String(Math.floor((durationMs(maxAge) ?? 0) / 1_000)) }),
    ...(allowCredentials === undefined ? {} : { allowCredentials }),
    filterEnabled: { defaultValue: { numerator: 100, denominator: "HUNDRED" } },
    forwardNotMatchingPreflights: policy.unmatchedPreflights !== "IGNORE",
  });
}
