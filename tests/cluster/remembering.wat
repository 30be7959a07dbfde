;; Fills a MiB with random numbers, changes one of them in each of 40 turns of a Gc, and prints what all come to. It knows
;; nothing of states: the whole one is a MiB, and what has changed since it is a small part of that.
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 16)
  (func (export "_start") (local $at i32) (local $turn i32) (local $left i32) (local $x i64) (local $sum i64)
    (local.set $x (i64.const 88172645463325252))
    (loop $fill
      (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 13))))
      (local.set $x (i64.xor (local.get $x) (i64.shr_u (local.get $x) (i64.const 7))))
      (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 17))))
      (i64.store (local.get $at) (local.get $x))
      (br_if $fill (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 1048576))))
    (loop $more
      (local.set $left (i32.const 200000000))
      (loop $spin (br_if $spin (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (local.set $turn (i32.add (local.get $turn) (i32.const 1)))
      (i32.store (i32.mul (local.get $turn) (i32.const 24576)) (local.get $turn))
      (br_if $more (i32.lt_u (local.get $turn) (i32.const 40))))
    (local.set $at (i32.const 0))
    (loop $add
      (local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 31)) (i64.load (local.get $at))))
      (br_if $add (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 1048576))))
    (i64.store (i32.const 8) (local.get $sum))
    (i32.store (i32.const 0) (i32.const 8))
    (i32.store (i32.const 4) (i32.const 8))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))
