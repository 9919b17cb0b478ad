;; Lines of samples of one shape, sixteen bytes at a time. `npm run wasm` writes `sample-runs-module.ts` from it.
;;
;; Memory: a table of segments (offset and length of each, from 0), another name for the first of them (from 528), the
;; segments' bytes (each at a multiple of 16, from 1,024), a table of lines (where each begins and where its series ends,
;; from 16,384), and blocks with the lines themselves (from 65,536): one for lines that were copied, and four that sources
;; are read into. Loads of sixteen bytes may go beyond the lines' end, where there is room.
(module
  (memory (export "memory") 47)
  ;; Lines that `run` has gone over.
  (global $lines (export "lines") (mut i32) (i32.const 0))

  ;; How many newlines lie between `from` and `end`.
  (func (export "count") (param $at i32) (param $end i32) (result i32)
    (local $count i32)
    (block $done
      (loop $next
        (br_if $done (i32.gt_u (i32.add (local.get $at) (i32.const 16)) (local.get $end)))
        (local.set $count
          (i32.add (local.get $count) (i32.popcnt (call $newlines (local.get $at)))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $next)))
    (i32.add
      (local.get $count)
      (i32.popcnt
        (i32.and
          (call $newlines (local.get $at))
          (i32.sub (i32.shl (i32.const 1) (i32.sub (local.get $end) (local.get $at))) (i32.const 1))))))

  ;; One bit for each of sixteen bytes that is a newline.
  (func $newlines (param $at i32) (result i32)
    (i8x16.bitmask (i8x16.eq (v128.load (local.get $at)) (i8x16.splat (i32.const 10)))))

  ;; Go over lines that are the segments with values of labels in between and a number at their end. Returns where the
  ;; first line begins that is not; `most` is how many are gone over.
  (func (export "run") (param $line i32) (param $end i32) (param $segments i32) (param $most i32) (result i32)
    (local $at i32)
    (local $segment i32)
    (local $length i32)
    (local $text i32)
    (local $equal i32)
    (local $count i32)
    (local $bytes v128)
    (local $entry i32)
    (block $stop
      (loop $lines
        (br_if $stop (i32.ge_u (local.get $line) (local.get $end)))
        (br_if $stop (i32.ge_u (local.get $count) (local.get $most)))
        (local.set $at (local.get $line))
        (local.set $segment (i32.const 0))
        (loop $segment
          (local.set $text (i32.load (local.get $segment)))
          (local.set $length (i32.load offset=4 (local.get $segment)))
          (block $matched
            (loop $compare
              (local.set $equal
                (i8x16.bitmask (i8x16.eq (v128.load (local.get $at)) (v128.load (local.get $text)))))
              (if (i32.lt_u (local.get $length) (i32.const 16))
                (then
                  ;; All of the segment's last bytes: no bit is missing of as many.
                  (br_if $stop
                    (i32.and
                      (i32.xor (local.get $equal) (i32.const -1))
                      (i32.sub (i32.shl (i32.const 1) (local.get $length)) (i32.const 1))))
                  (local.set $at (i32.add (local.get $at) (local.get $length)))
                  (br $matched)))
              (br_if $stop (i32.ne (local.get $equal) (i32.const 0xffff)))
              (local.set $at (i32.add (local.get $at) (i32.const 16)))
              (local.set $text (i32.add (local.get $text) (i32.const 16)))
              (local.set $length (i32.sub (local.get $length) (i32.const 16)))
              (br $compare)))
          (local.set $segment (i32.add (local.get $segment) (i32.const 8)))
          (if (i32.lt_u (local.get $segment) (i32.shl (local.get $segments) (i32.const 3)))
            (then
              (loop $value
                (local.set $bytes (v128.load (local.get $at)))
                (local.set $equal
                  (i8x16.bitmask
                    (v128.or
                      (v128.or
                        (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 34)))
                        (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 92))))
                      (i8x16.eq (local.get $bytes) (i8x16.splat (i32.const 10))))))
                (if (i32.eqz (local.get $equal))
                  (then
                    (local.set $at (i32.add (local.get $at) (i32.const 16)))
                    (br $value)))
                (local.set $at (i32.add (local.get $at) (i32.ctz (local.get $equal))))
                (br_if $segment (i32.eq (i32.load8_u (local.get $at)) (i32.const 34)))
                (br_if $stop (i32.ne (i32.load8_u (local.get $at)) (i32.const 92)))
                (br_if $stop (i32.eqz (call $escapes (i32.load8_u offset=1 (local.get $at)))))
                (local.set $at (i32.add (local.get $at) (i32.const 2)))
                (br $value)))))
        (local.set $entry (i32.add (i32.const 16384) (i32.shl (local.get $count) (i32.const 3))))
        (i32.store (local.get $entry) (local.get $line))
        ;; The blank before the number is the last segment's.
        (i32.store offset=4 (local.get $entry) (i32.sub (local.get $at) (i32.const 1)))
        (local.set $at (call $number (local.get $at)))
        (br_if $stop (i32.eqz (local.get $at)))
        (local.set $line (local.get $at))
        (local.set $count (i32.add (local.get $count) (i32.const 1)))
        (br $lines)))
    (global.set $lines (local.get $count))
    (local.get $line))

  ;; What may stand after a backslash: a backslash, a quote or an n.
  (func $escapes (param $byte i32) (result i32)
    (i32.or
      (i32.or
        (i32.eq (local.get $byte) (i32.const 92))
        (i32.eq (local.get $byte) (i32.const 34)))
      (i32.eq (local.get $byte) (i32.const 110))))

  ;; Where the line after a usual number begins; 0 when there is none.
  (func $number (param $at i32) (result i32)
    (local $from i32)
    (local $byte i32)
    (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 45))
      (then (local.set $at (i32.add (local.get $at) (i32.const 1)))))
    (local.set $from (local.get $at))
    (local.set $at (call $digits (local.get $at)))
    (if (i32.gt_u (i32.sub (i32.sub (local.get $at) (local.get $from)) (i32.const 1)) (i32.const 19))
      (then (return (i32.const 0))))
    (if (i32.eq (i32.load8_u (local.get $at)) (i32.const 46))
      (then
        (local.set $from (i32.add (local.get $at) (i32.const 1)))
        (local.set $at (call $digits (local.get $from)))
        (if (i32.gt_u (i32.sub (i32.sub (local.get $at) (local.get $from)) (i32.const 1)) (i32.const 19))
          (then (return (i32.const 0))))))
    (if (i32.eq (i32.or (i32.load8_u (local.get $at)) (i32.const 32)) (i32.const 101))
      (then
        (local.set $byte (i32.load8_u offset=1 (local.get $at)))
        (local.set $from (i32.add (local.get $at) (i32.const 1)))
        (if (i32.or (i32.eq (local.get $byte) (i32.const 43)) (i32.eq (local.get $byte) (i32.const 45)))
          (then (local.set $from (i32.add (local.get $from) (i32.const 1)))))
        (local.set $at (call $digits (local.get $from)))
        (if (i32.gt_u (i32.sub (i32.sub (local.get $at) (local.get $from)) (i32.const 1)) (i32.const 1))
          (then (return (i32.const 0))))))
    (if (result i32) (i32.eq (i32.load8_u (local.get $at)) (i32.const 10))
      (then (i32.add (local.get $at) (i32.const 1)))
      (else (i32.const 0))))

  ;; Where digits end that begin at `at`.
  (func $digits (param $at i32) (result i32)
    (block $stop
      (loop $next
        (br_if $stop
          (i32.gt_u (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)) (i32.const 9)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (local.get $at)))
