// What a guest of WasmFleet may ask of its board, for AssemblyScript; see wasmfleet.h for what each function means.
// Texts are StaticArray<u8> or memory.data, so that nothing is allocated while a guest runs.

@external("gpio", "configure") export declare function gpioConfigure(pin: i32, mode: i32): i32;
@external("gpio", "read") export declare function gpioRead(pin: i32): i32;
@external("gpio", "write") export declare function gpioWrite(pin: i32, level: i32): i32;
@external("adc", "read") export declare function adcRead(pin: i32): i32;
@external("telemetry", "publish") declare function telemetryPublish(name: usize, length: i32, value: i32, scale: i32): i32;
@external("wasi_snapshot_preview1", "fd_write") declare function fdWrite(fd: i32, parts: usize, count: i32, written: usize): i32;
@external("wasi_snapshot_preview1", "poll_oneoff") declare function pollOneoff(wishes: usize, events: usize, count: i32, done: usize): i32;

export const GPIO_IN: i32 = 0;
export const GPIO_OUT: i32 = 1;

const vector = memory.data(12, 4); // pointer, length, bytes written
const wish = memory.data(48, 8);
const event = memory.data(40, 8); // the event, then the number of events

/** A text of ASCII letters at a fixed address, made once. */
export class Text {
  readonly length: i32;
  readonly at: usize;

  constructor(text: string) {
    this.length = text.length;
    this.at = heap.alloc(text.length);
    for (let i = 0; i < text.length; i++) store<u8>(this.at + i, <u8>text.charCodeAt(i));
  }

  /** As a line of the log; it must end in a newline. */
  log(): void {
    store<usize>(vector, this.at);
    store<i32>(vector, this.length, 4);
    fdWrite(1, vector, 1, vector + 8);
  }

  /** As the name of a reading: value * 10^scale. */
  publish(value: i32, scale: i32): void {
    telemetryPublish(this.at, this.length, value, scale);
  }
}

/** The board goes on with its other work meanwhile. */
export function sleepMs(ms: i32): void {
  store<u32>(wish, 1, 16);
  store<u64>(wish, <u64>ms * 1000000, 24);
  pollOneoff(wish, event, 1, event + 32);
}
