/** How a line of an access log looks that says nothing of its format: Istio's documented defaults. */
import type { JsonObject } from "../../config/json-value.ts";

const fields = {
  start_time: "START_TIME",
  method: "REQ(:METHOD)",
  path: "REQ(X-ENVOY-ORIGINAL-PATH?:PATH)",
  protocol: "PROTOCOL",
  response_code: "RESPONSE_CODE",
  response_flags: "RESPONSE_FLAGS",
  response_code_details: "RESPONSE_CODE_DETAILS",
  connection_termination_details: "CONNECTION_TERMINATION_DETAILS",
  upstream_transport_failure_reason: "UPSTREAM_TRANSPORT_FAILURE_REASON",
  bytes_received: "BYTES_RECEIVED",
  bytes_sent: "BYTES_SENT",
  duration: "DURATION",
  upstream_service_time: "RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)",
  x_forwarded_for: "REQ(X-FORWARDED-FOR)",
  user_agent: "REQ(USER-AGENT)",
  request_id: "REQ(X-REQUEST-ID)",
  authority: "REQ(:AUTHORITY)",
  upstream_host: "UPSTREAM_HOST",
  upstream_cluster: "UPSTREAM_CLUSTER_RAW",
  upstream_local_address: "UPSTREAM_LOCAL_ADDRESS",
  downstream_local_address: "DOWNSTREAM_LOCAL_ADDRESS",
  downstream_remote_address: "DOWNSTREAM_REMOTE_ADDRESS",
  requested_server_name: "REQUESTED_SERVER_NAME",
  route_name: "ROUTE_NAME",
} as const;

/** Where a line has marks around and between its fields: those of a request are one word in quotes. */
const marks: Readonly<Partial<Record<keyof typeof fields, readonly [before: string, after: string]>>> = {
  start_time: ["[", "]"],
  method: ['"', ""],
  protocol: ["", '"'],
  upstream_transport_failure_reason: ['"', '"'],
  x_forwarded_for: ['"', '"'],
  user_agent: ['"', '"'],
  request_id: ['"', '"'],
  authority: ['"', '"'],
  upstream_host: ['"', '"'],
};

/** As a line of text, with its end. */
export const textLogFormat = `${Object.entries(fields)
  .map(([name, command]) => {
    const [before, after] = marks[name as keyof typeof fields] ?? ["", ""];
    return `${before}%${command}%${after}`;
  })
  .join(" ")}\n`;

/** As an object. */
export const jsonLogFormat: JsonObject = Object.fromEntries(
  Object.entries(fields).map(([name, command]) => [name, `%${command}%`]),
);
