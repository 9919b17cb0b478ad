/** A run that one of its own tests ends, with whatever code, has failed. */

/** @returns to be called once the run is over */
export function failOnEarlyExit(): () => void {
  let isOver = false;
  process.once("exit", (code) => {
    if (isOver) return;
    console.error("the run was ended before all tests had run");
    process.exitCode = code === 0 ? 1 : code;
  });
  return () => {
    isOver = true;
  };
}
