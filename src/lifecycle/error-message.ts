/** One line that says what went wrong, with the chain of causes, for logs and for people. */
export function errorMessage(error: unknown): string {
  const parts: string[] = [];
  for (let cause = error; cause !== undefined && cause !== null;) {
    const text = (cause instanceof Error ? messageOf(cause) : describe(cause)).trim();
    // A wrapper often quotes its cause already.
    if (!parts.some((part) => part.includes(text))) parts.push(text);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return parts.join(": ");
}

/** A connection that failed on each address of a name has an error for each and no message of its own. */
function messageOf(error: Error): string {
  if (error.message !== "" || !(error instanceof AggregateError)) return error.message || error.name;
  return error.errors.map(errorMessage).join(", ") || error.name;
}

/** The `code` of a Node.js system error (`ENOENT`, `EADDRINUSE`), if it has one. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

function describe(thrown: unknown): string {
  return typeof thrown === "string" ? thrown : JSON.stringify(thrown);
}
