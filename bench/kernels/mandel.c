/* f32: a small picture of the Mandelbrot set. */
#include "kernel.h"

enum { WIDE = 24, HIGH = 16, MOST = 24 };

RUN {
    uint32_t sum = 0;
    for (int32_t row = 0; row < HIGH; row++)
        for (int32_t column = 0; column < WIDE; column++) {
            float cr = (float)column * (3.0f / WIDE) - 2.0f, ci = (float)row * (2.0f / HIGH) - 1.0f;
            float r = 0, i = 0;
            uint32_t n = 0;
            while (n < MOST && r * r + i * i < 4.0f) {
                float next = r * r - i * i + cr;
                i = 2.0f * r * i + ci;
                r = next;
                n++;
            }
            sum = mix(sum, n);
        }
    return sum;
}
