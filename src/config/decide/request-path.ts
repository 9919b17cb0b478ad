/** As it goes into a request line: with a slash at its beginning, escapes for what may not stand there, and no fragment. */
export function requestPath(path: string): string {
  const [sent = ""] = path.split("#", 1);
  const escaped = sent.toWellFormed().replaceAll(/[^\x21-\x7e]+/g, (part) => encodeURIComponent(part));
  return escaped.startsWith("/") ? escaped : `/${escaped}`;
}
