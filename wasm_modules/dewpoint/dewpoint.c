/* Warns of wet walls: computes the dew point from temperature and humidity by the Magnus formula, in double precision, and
 * switches a fan on while the wall is colder than the dew point. Sensors are linear: 0 to 50 degrees, 0 to 100 per cent. */
#include "wasmfleet.h"

enum { AIR = 26, HUMIDITY = 27, WALL = 28, FAN = 16, PERIOD_MS = 1000 };

static double reading(int32_t pin, double full_scale) { return adc_read(pin) * (full_scale / 65535.0); }

/* The natural logarithm of x > 0: x = m * 2^e with m from 3/4 to 3/2, then the series of atanh. */
static double logarithm(double x) {
    int32_t e = 0;
    for (; x >= 1.5; e++) x *= 0.5;
    for (; x < 0.75; e--) x *= 2;
    double t = (x - 1) / (x + 1), square = t * t, power = t, sum = 0;
    for (int32_t i = 1; i < 24; i += 2) {
        sum += power / i;
        power *= square;
    }
    return 2 * sum + e * 0.69314718055994530942;
}

static double dew_point(double celsius, double per_cent) {
    double g = logarithm(per_cent / 100) + 17.62 * celsius / (243.12 + celsius);
    return 243.12 * g / (17.62 - g);
}

static int32_t hundredths(double value) { return (int32_t)(value * 100 + (value < 0 ? -0.5 : 0.5)); }

WF_EXPORT("_start") void start(void) {
    gpio_configure(FAN, GPIO_OUT);
    for (;;) {
        double air = reading(AIR, 50), humidity = reading(HUMIDITY, 100), wall = reading(WALL, 50);
        double dew = dew_point(air, humidity < 1 ? 1 : humidity);
        gpio_write(FAN, wall < dew);
        telemetry_publish("dewpoint", 8, hundredths(dew), -2);
        wf_sleep_ms(PERIOD_MS);
    }
}
