/**
 * A snapshot of V8's heap for the developer tools of a browser, without what may be a secret.
 *
 * The texts of the heap stand at a snapshot's end. Whatever is known for a secret, looks like one, or could be a line of a
 * key in base64, is left out; memory outside of V8's heap, where buffers are, is not in a snapshot at all.
 */
import { Readable } from "node:stream";

/** Text in base64 of the length of a line in PEM (RFC 7468), or longer. */
const longBase64 = /[A-Za-z0-9+/=_-]{60,}/;

/** Private keys and tokens (RFC 7519), in whatever piece of a text. */
const ofSecrets = /PRIVATE KEY|eyJ[\w-]{10,}\.|[Bb]earer /;

/** Begins the part of a snapshot that has the texts. */
const textsBegin = '"strings":[';

/** One text, as JSON writes it. V8 cuts texts at 1,024 characters. */
const text = /"(?:[^"\\]|\\.)*"/gs;

/** Take one: nothing else is done until V8 has it, for some tenths of a second. @param redact knows the secrets */
export async function heapSnapshot(redact: (text: string) => string): Promise<Readable> {
  const { getHeapSnapshot } = await import("node:v8");
  const snapshot = getHeapSnapshot().setEncoding("utf8");
  const body = Readable.from(withoutSecrets(snapshot, redact), { objectMode: false });
  // Also that of a body that nobody has begun to read.
  body.once("close", () => snapshot.destroy());
  return body;
}

/** The same pieces, each text of which that may be a secret is another. */
export async function* withoutSecrets(
  pieces: AsyncIterable<unknown>,
  redact: (text: string) => string,
): AsyncGenerator<string> {
  let hasTexts = false;
  let rest = "";
  for await (const piece of pieces) {
    rest += String(piece);
    if (!hasTexts) {
      const begin = rest.indexOf(textsBegin);
      hasTexts = begin >= 0;
      const passed = hasTexts ? begin + textsBegin.length : Math.max(0, rest.length - textsBegin.length);
      if (passed > 0) yield rest.slice(0, passed);
      rest = rest.slice(passed);
    }
    if (hasTexts) {
      let end = 0;
      const shown = rest.replaceAll(text, (one, at: number) => {
        end = at + one.length;
        return isSecret(one, redact) ? '"redacted"' : one;
      });
      // What stands behind the last whole text is as long as it was.
      const left = rest.length - end;
      if (end > 0) yield shown.slice(0, shown.length - left);
      rest = rest.slice(end);
    }
  }
  if (rest !== "") yield rest;
}

function isSecret(one: string, redact: (text: string) => string): boolean {
  return ofSecrets.test(one) || longBase64.test(one) || redact(one) !== one;
}
