/* A greenhouse's thermostat: reads a temperature each second, publishes it, and switches a fan's relay with hysteresis.
 *
 * The sensor is linear: 0 V is 0.0 degrees, full scale 100.0. All temperatures are in tenths of a degree Celsius. */
#include "wasmfleet.h"

enum {
    SENSOR = 26,        /* analogue pin */
    RELAY = 15,         /* output, 1 = fan runs */
    FULL_SCALE = 1000,  /* tenths of a degree at 65535 */
    ON_ABOVE = 300,
    OFF_BELOW = 280,
    PERIOD_MS = 1000,
};

/* Writes `tenths` as decimal text before `end` and returns where it begins. */
static char *decimal(char *end, int32_t tenths) {
    uint32_t rest = (uint32_t)tenths;
    *--end = (char)('0' + rest % 10);
    *--end = '.';
    do {
        rest /= 10;
        *--end = (char)('0' + rest % 10);
    } while (rest >= 10);
    return end;
}

/* Logs "relay on at 30.1" or "relay off at 27.9". */
static void log_change(int32_t on, int32_t tenths) {
    static char number[12];
    number[11] = '\n';
    char *text = decimal(number + 11, tenths);
    wasi_ciovec parts[2] = {{on ? "relay on at " : "relay off at ", on ? 12 : 13}, {text, (size_t)(number + 12 - text)}};
    size_t written;
    fd_write(1, parts, 2, &written);
}

static int32_t temperature(void) {
    int32_t raw = adc_read(SENSOR);
    return raw < 0 ? raw : (int32_t)(((uint32_t)raw * FULL_SCALE + 32767) / 65535);
}

WF_EXPORT("_start") void start(void) {
    int32_t on = 0;
    if (gpio_configure(RELAY, GPIO_OUT) < 0) {
        WF_LOG("the relay's pin is not granted");
        proc_exit(1);
    }
    gpio_write(RELAY, on);
    WF_LOG("sensor started");
    for (;;) {
        int32_t tenths = temperature();
        if (tenths < 0) {
            WF_LOG("the sensor cannot be read");
            proc_exit(2);
        }
        int32_t wanted = tenths > ON_ABOVE ? 1 : tenths < OFF_BELOW ? 0 : on;
        if (wanted != on) {
            on = wanted;
            gpio_write(RELAY, on);
            log_change(on, tenths);
        }
        telemetry_publish("temperature", 11, tenths, -1);
        wf_sleep_ms(PERIOD_MS);
    }
}
