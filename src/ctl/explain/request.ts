/**
 * A request that is followed, and what is said of each step. Values only.
 */

/** What is asked, as the Envoy that is at hand sees it. */
export interface Request {
  readonly method: string;
  /** `:authority`, with its port where it has one. */
  readonly authority: string;
  readonly scheme: "http" | "https";
  /** With the query. */
  readonly path: string;
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
}

/** One decision. */
export interface Step {
  /** Whose Envoy decides. */
  readonly at: "client" | "server";
  /** `listener`, `filter chain`, `virtual host`, `route`, `cluster`, `endpoint` … */
  readonly what: string;
  /** What is chosen, and because of what. */
  readonly words: string;
  /** `VirtualService demo/api`, the object that decides it; undefined where none does. */
  readonly rule?: string;
}

/** How it may end. */
export interface Outcome {
  /** Of requests like this one, from 0 to 1. */
  readonly share: number;
  /** What the caller gets; undefined where the application decides. */
  readonly status: number | undefined;
  readonly answeredBy:
    "the client's Envoy" | "the server's Envoy" | "the application" | "a host outside the mesh";
  readonly reason: string;
  /** Cluster that it is sent to. */
  readonly cluster?: string;
  /** `10.0.0.1:8080`. */
  readonly endpoint?: string;
  /** Those after the route, where there are several ways. */
  readonly steps: readonly Step[];
}

/** The whole way. */
export interface Explanation {
  /** Those that all outcomes share. */
  readonly steps: readonly Step[];
  /** Their shares sum up to 1. */
  readonly outcomes: readonly Outcome[];
}

/** The value of a header, or of what HTTP/2 has in its place. */
export function headerOf(request: Request, name: string): string | undefined {
  switch (name.toLowerCase()) {
    case ":method":
      return request.method;
    case ":authority":
    case "host":
      return request.authority;
    case ":scheme":
      return request.scheme;
    case ":path":
      return request.path;
    default:
      return request.headers[name.toLowerCase()];
  }
}

/** The path without its query and fragment. */
export function pathOf({ path }: Pick<Request, "path">): string {
  return path.replace(/[?#].*$/s, "");
}

/** As Envoy's `normalize_path` does: dots resolved, one spelling of what need not be escaped (RFC 3986). */
export function normalized(request: Request): Request {
  const path = pathOf(request);
  try {
    const { pathname } = new URL(`http://host${path.replaceAll("\\", "/")}`);
    return { ...request, path: pathname + request.path.slice(path.length) };
  } catch {
    return request;
  }
}
