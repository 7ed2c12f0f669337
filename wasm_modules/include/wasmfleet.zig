//! What a guest of WasmFleet may ask of its board, for Zig; see wasmfleet.h for what each function means.

pub const gpio = struct {
    pub extern "gpio" fn configure(pin: i32, mode: i32) i32;
    pub extern "gpio" fn read(pin: i32) i32;
    pub extern "gpio" fn write(pin: i32, level: i32) i32;
    pub const input = 0;
    pub const output = 1;
    pub const input_pull_up = 2;
    pub const input_pull_down = 3;
};

pub const adc = struct {
    pub extern "adc" fn read(pin: i32) i32;
};

const telemetry = struct {
    extern "telemetry" fn publish(name: [*]const u8, length: usize, value: i32, scale: i32) i32;
};

const wasi = struct {
    const Vector = extern struct { data: [*]const u8, length: usize };
    const Subscription = extern struct { user: u64 = 0, tag: u64 = 0, clock: u64 = 1, timeout_ns: u64, precision_ns: u64 = 0, flags: u64 = 0 };
    extern "wasi_snapshot_preview1" fn fd_write(fd: i32, parts: *const Vector, count: usize, written: *usize) i32;
    extern "wasi_snapshot_preview1" fn poll_oneoff(in: *const Subscription, out: *[32]u8, count: usize, events: *usize) i32;
    extern "wasi_snapshot_preview1" fn proc_exit(code: i32) noreturn;
};

/// A reading: value * 10^scale.
pub fn publish(name: []const u8, value: i32, scale: i32) void {
    _ = telemetry.publish(name.ptr, name.len, value, scale);
}

/// A line for the log; it must end in a newline.
pub fn log(line: []const u8) void {
    var written: usize = 0;
    _ = wasi.fd_write(1, &.{ .data = line.ptr, .length = line.len }, 1, &written);
}

/// The board goes on with its other work meanwhile.
pub fn sleepMs(ms: u32) void {
    var event: [32]u8 = undefined;
    var count: usize = 0;
    _ = wasi.poll_oneoff(&.{ .timeout_ns = @as(u64, ms) * 1_000_000 }, &event, 1, &count);
}

pub fn exit(code: i32) noreturn {
    wasi.proc_exit(code);
}
