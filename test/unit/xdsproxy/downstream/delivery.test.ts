import assert from "node:assert/strict";
import { test } from "node:test";
import { Delivery } from "../../../../src/xdsproxy/downstream/delivery.ts";

test("a delivery is stuck once it has been under way for so long, and that is told once", () => {
  const delivery = new Delivery();
  assert.equal(delivery.stuck(0, 10), undefined);
  delivery.begins("a");
  assert.equal(delivery.isUnderWay, true);
  assert.deepEqual(
    [1, 5, 10, 11, 12, 30].map((now) => delivery.stuck(now, 10)),
    [undefined, undefined, undefined, "a", undefined, undefined],
  );
  delivery.ends();
  assert.equal(delivery.isUnderWay, false);
  assert.equal(delivery.stuck(50, 10), undefined);
});

test("many that follow each other are none that is stuck", () => {
  const delivery = new Delivery();
  for (let now = 0; now < 100; now += 1) {
    delivery.begins("a");
    assert.equal(delivery.stuck(now, 10), undefined);
    delivery.ends();
  }
  delivery.begins("b");
  assert.deepEqual(
    [100, 110].map((now) => delivery.stuck(now, 10)),
    [undefined, "b"],
  );
});
