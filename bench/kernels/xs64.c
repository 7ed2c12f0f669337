/* i64: Vigna's xorshift64* generator. */
#include "kernel.h"

RUN {
    uint64_t state = 88172645463325252ull;
    uint32_t sum = 0;
    for (uint32_t i = 0; i < 5000; i++) {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        sum = mix(sum, (uint32_t)(state * 2685821657736338717ull >> 32));
    }
    return sum;
}
