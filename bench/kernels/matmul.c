/* Words in memory: the product of two matrices of 20 by 20 integers. */
#include "kernel.h"

enum { N = 20 };
static int32_t a[N][N], b[N][N], c[N][N];

RUN {
    for (int32_t i = 0; i < N; i++)
        for (int32_t k = 0; k < N; k++) {
            a[i][k] = i * 7 - k * 3;
            b[i][k] = (i ^ k) - 5;
        }
    uint32_t sum = 0;
    for (int32_t i = 0; i < N; i++)
        for (int32_t k = 0; k < N; k++) {
            int32_t total = 0;
            for (int32_t m = 0; m < N; m++) total += a[i][m] * b[m][k];
            c[i][k] = total;
            sum = mix(sum, (uint32_t)c[i][k]);
        }
    return sum;
}
