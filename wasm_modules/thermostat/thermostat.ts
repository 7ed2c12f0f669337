// Heats a room to a temperature that falls by night: the night is what a light sensor calls dark.

import { GPIO_OUT, Text, adcRead, gpioConfigure, gpioWrite, sleepMs } from "../include/wasmfleet";

const LIGHT = 27;
const SENSOR = 26;
const RELAY = 15;
const DARK = 9000;
const BAND: f32 = 0.5;

/** Degrees Celsius of a linear sensor, 0 to 50. */
function degrees(raw: i32): f32 {
  return <f32>raw * (50.0 / 65535.0);
}

/** What is wanted and whether the heating runs. */
class Thermostat {
  heating: bool = false;

  constructor(readonly day: f32, readonly night: f32) {}

  step(now: f32, dark: bool): bool {
    const wanted = dark ? this.night : this.day;
    if (now < wanted - BAND) this.heating = true;
    else if (now > wanted + BAND) this.heating = false;
    return this.heating;
  }
}

export function _start(): void {
  const started = new Text("thermostat started\n");
  const name = new Text("room");
  const thermostat = new Thermostat(21.0, 17.0);
  gpioConfigure(RELAY, GPIO_OUT);
  started.log();
  while (true) {
    const dark = adcRead(LIGHT) < DARK;
    const now = degrees(adcRead(SENSOR));
    gpioWrite(RELAY, thermostat.step(now, dark) ? 1 : 0);
    name.publish(<i32>Mathf.round(now * 100.0), -2);
    sleepMs(1000);
  }
}
