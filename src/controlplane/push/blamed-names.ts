/**
 * Which resources Envoy means when it refuses a response. Pure.
 *
 * Of clusters and listeners it tries each, takes those that are well, and names the others: "Error adding/updating
 * cluster(s) a: why, b: why" (Envoy's CdsApiHelper and LdsApiImpl). Of everything else, and of a message that breaks the
 * rules of its fields, it says no more than what is wrong.
 */

/** Refused resources with Envoy's words for each. */
export type Blamed = ReadonlyMap<string, string>;

/** How Envoy begins where it names all that it refuses. */
const naming = /^.*?Error adding\/updating (?:cluster|listener)\(s\) /s;

/** Those that Envoy names of `names`; empty where it does not say which it means. */
export function blamedNames(names: readonly string[], error: string): Blamed {
  const list = naming.exec(error);
  if (list === null) return new Map();
  const places = names
    .flatMap((name) => {
      const at = placeOf(name, error, list[0].length);
      return at === undefined ? [] : [{ name, at, end: at + name.length + 2 }];
    })
    .toSorted((a, b) => a.at - b.at);
  return new Map(
    places.map(({ name, end }, index) => {
      const words = error.slice(end, places[index + 1]?.at);
      return [name, words.replace(/[,\s]+$/, "")];
    }),
  );
}

/** True where the words have the name in them, and not only as a part of another. */
export function mentions(error: string, name: string): boolean {
  for (let at = error.indexOf(name); at >= 0; at = error.indexOf(name, at + 1)) {
    const [before, after] = [error[at - 1] ?? "", error[at + name.length] ?? ""];
    if (!isPartOfName(before) && !isPartOfName(after)) return true;
  }
  return false;
}

/** Where an entry of the list begins that is of that name. */
function placeOf(name: string, error: string, from: number): number | undefined {
  for (let at = error.indexOf(`${name}: `, from); at >= 0; at = error.indexOf(`${name}: `, at + 1))
    if (at === from || /[,\n] ?$/.test(error.slice(0, at))) return at;
  return undefined;
}

function isPartOfName(letter: string): boolean {
  return /[\w.|-]/.test(letter);
}
