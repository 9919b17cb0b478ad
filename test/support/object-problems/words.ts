/** What problems of objects say, where more than one kind may have them. */

/** A path into a whole object, the value to put there, and each problem; those of another field begin with its path. */
export type ProblemRow = readonly [path: string, value: unknown, ...problems: readonly string[]];

export const notAMapping: string = "must be a mapping";
export const notAList: string = "must be a list";
export const notText: string = "must be text";
export const missing: string = "is missing";
export const port: string = "must be a whole number from 1 to 65535";
export const weight: string = "must be a whole number from 0 to 1000000";
export const host: string = "must be a host name of at most 253 characters";
export const ip: string = "must be an IP address";
export const range: string = "must be an IP address, or a range of them such as 10.0.0.0/8";
export const label: string = "must be the value of a label: at most 63 letters, digits, -, _ and .";
export const protocol: string = "must be one of HTTP, HTTP2, GRPC, TCP, TLS, HTTPS, MONGO, MYSQL, REDIS";
export const subset: string = "must be a subset's name: letters, digits and dashes, at most 63";
export const time: string = "a duration of whole milliseconds up to 2562047h such as 5s or 1m30s";
export const duration: string = `must be ${time}`;
export const one: string = "must have at least 1 item";
export const unique = (value: string | number): string => `${value} is there already: make it unique`;
export const known = (...fields: readonly string[]): string =>
  `is not known here: this control plane reads ${fields.join(", ")}`;
