//! Keeps a kettle at 65.0 degrees: a PID controller in fixed point, whose output from 0 to 100 per cent is given to a heater
//! by the second: each percent that has not been heated yet is carried on (sigma-delta), so the relay needs no timer.

const board = @import("wasmfleet");

const sensor = 26;
const heater = 17;
const target: i32 = 650; // tenths of a degree
const full_scale = 1200; // tenths of a degree at 65535

/// Gains in 1/256 per cent for each tenth of a degree.
const Pid = struct {
    kp: i32 = 1280,
    ki: i32 = 64,
    kd: i32 = 2560,
    sum: i32 = 0,
    before: ?i32 = null,

    /// Per cent of power, 0 to 100; the sum stays where it is while the output is at its end (anti-windup).
    fn step(self: *Pid, value: i32) i32 {
        const wrong = target - value;
        const slope = value - (self.before orelse value);
        self.before = value;
        const wish = (self.kp * wrong + self.ki * (self.sum +| wrong) - self.kd * slope) >> 8;
        const power = @min(@max(wish, 0), 100);
        if (wish == power) self.sum +|= wrong;
        return power;
    }
};

fn temperature() i32 {
    const raw: u32 = @bitCast(board.adc.read(sensor));
    return @intCast((raw *% full_scale +% 32767) / 65535);
}

export fn _start() void {
    var pid: Pid = .{};
    var carried: i32 = 0;
    if (board.gpio.configure(heater, board.gpio.output) < 0) board.exit(1);
    board.log("pid started\n");
    while (true) {
        const now = temperature();
        const power = pid.step(now);
        carried += power;
        const on = carried >= 100;
        if (on) carried -= 100;
        _ = board.gpio.write(heater, @intFromBool(on));
        board.publish("temperature", now, -1);
        board.publish("power", power, 0);
        board.sleepMs(1000);
    }
}
