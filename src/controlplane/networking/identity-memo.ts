/**
 * What was made of the same objects before. Objects of the mesh never change, so what is made of them stays as long as
 * they do, and goes with them.
 */

/** Objects are told apart by identity, words by what they say. */
export type MemoInput = object | string | undefined;

interface Place<Value> {
  readonly byObject: WeakMap<object, Place<Value>>;
  readonly byWord: Map<string | undefined, Place<Value>>;
  value?: { readonly made: Value };
}

/** Values by what they are made of, in order. */
export class IdentityMemo<Value> {
  readonly #first: Place<Value> = place();

  /** @param inputs everything that `make` reads, an object first: it is what the value goes with */
  get(inputs: readonly [object, ...MemoInput[]], make: () => Value): Value {
    let current = this.#first;
    for (const input of inputs) current = nextOf(current, input);
    current.value ??= { made: make() };
    return current.value.made;
  }
}

function place<Value>(): Place<Value> {
  return { byObject: new WeakMap(), byWord: new Map() };
}

function nextOf<Value>({ byObject, byWord }: Place<Value>, input: MemoInput): Place<Value> {
  const known = typeof input === "object" ? byObject.get(input) : byWord.get(input);
  if (known !== undefined) return known;
  const next = place<Value>();
  if (typeof input === "object") byObject.set(input, next);
  else byWord.set(input, next);
  return next;
}
