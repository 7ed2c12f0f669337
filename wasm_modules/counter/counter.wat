;; Counts how often a door opens: its switch pulls pin 14 low while it is closed. Looks twice a second, lights the LED while the
;; door is open, publishes the count each time it rises, and logs when the door is closed again.
(module
  (import "gpio" "configure" (func $configure (param $pin i32) (param $mode i32) (result i32)))
  (import "gpio" "read" (func $read (param $pin i32) (result i32)))
  (import "gpio" "write" (func $write (param $pin i32) (param $level i32) (result i32)))
  (import "telemetry" "publish" (func $publish (param $name i32) (param $length i32) (param $value i32) (param $scale i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1 1)
  (global $opened (mut i32) (i32.const 0))

  (data (i32.const 16) "doorclosed\0a")            ;; the reading's name, and the line of the log behind it
  (data (i32.const 32) "\14\00\00\00\07\00\00\00")  ;; a vector for fd_write: address 20, length 7
  (data (i32.const 80) "\01")                       ;; a wish for poll_oneoff at 64: monotonic clock,
  (data (i32.const 88) "\00\65\cd\1d")              ;; 500,000,000 ns

  (table 2 funcref)
  (elem (i32.const 0) $closes $opens)
  (type $edge (func))

  (func $opens (type $edge)
    (global.set $opened (i32.add (global.get $opened) (i32.const 1)))
    (drop (call $publish (i32.const 16) (i32.const 4) (global.get $opened) (i32.const 0))))

  (func $closes (type $edge)
    (drop (call $fd_write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 40))))

  ;; The level now and whether it is another than before.
  (func $look (param $before i32) (result i32 i32)
    (local $now i32)
    (local.tee $now (call $read (i32.const 14)))
    (i32.ne (local.get $now) (local.get $before)))

  (func (export "_start")
    (local $level i32)
    (drop (call $configure (i32.const 14) (i32.const 2)))
    (drop (call $configure (i32.const 25) (i32.const 1)))
    (loop $again
      (call $look (local.get $level))
      (if (param i32)
        (then
          (local.set $level)
          (drop (call $write (i32.const 25) (local.get $level)))
          (call_indirect (type $edge) (local.get $level)))
        (else (drop)))
      (drop (call $poll_oneoff (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 160)))
      (br $again))))
