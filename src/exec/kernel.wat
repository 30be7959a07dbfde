;; The calibration kernel: what a core makes of one cycle, on average of what programs do. A turn draws a number
;; (xorshift64, integers), changes a word of a table of 256 KiB (memory), takes one of two ways (branch), calls a
;; function and moves a sum (floating point, where making NaNs canonical is most of the time). The mixture is
;; cautious: programs of floating point alone get about a tenth less done than it promises, programs of integers
;; half as much again. `kernel.wasm` is this text, encoded; a test holds them together.
(module
  (memory 4)
  (func $fold (param $x i64) (param $sum f64) (result f64)
    (local $y f64)
    (local.set $y (f64.convert_i64_u (i64.and (local.get $x) (i64.const 0xffff))))
    (f64.add
      (f64.mul (local.get $sum) (f64.const 0.999))
      (f64.add (f64.mul (local.get $y) (f64.const 0x1p-16)) (f64.const 0.5))))
  (func (export "run") (param $turns i32) (result f64)
    (local $x i64) (local $at i32) (local $odd i32) (local $sum f64)
    (local.set $x (i64.const 0x9e3779b97f4a7c15))
    (loop $turn
      (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 13))))
      (local.set $x (i64.xor (local.get $x) (i64.shr_u (local.get $x) (i64.const 7))))
      (local.set $x (i64.xor (local.get $x) (i64.shl (local.get $x) (i64.const 17))))
      (local.set $at (i32.and (i32.wrap_i64 (local.get $x)) (i32.const 0x3fff8)))
      (i64.store (local.get $at)
        (i64.add (i64.load (local.get $at)) (i64.rotl (local.get $x) (i64.const 9))))
      (if (i32.and (local.get $at) (i32.const 8))
        (then (local.set $odd (i32.add (local.get $odd) (i32.const 3))))
        (else (local.set $odd (i32.mul (local.get $odd) (i32.const 5)))))
      (local.set $sum (call $fold (local.get $x) (local.get $sum)))
      (br_if $turn (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))
    (f64.add (local.get $sum)
      (f64.add (f64.convert_i32_s (local.get $odd)) (f64.convert_i64_s (i64.load (i32.const 64)))))))
