/* Toggles the LED of a Pico every half second. */
#include "wasmfleet.h"

enum { LED = 25, HALF_MS = 500 };

WF_EXPORT("_start") void start(void) {
    gpio_configure(LED, GPIO_OUT);
    for (int32_t level = 1;; level ^= 1) {
        gpio_write(LED, level);
        wf_sleep_ms(HALF_MS);
    }
}
