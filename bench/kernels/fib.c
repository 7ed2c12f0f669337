/* Calls: the doubly recursive Fibonacci function. */
#include "kernel.h"

static __attribute__((noinline)) uint32_t fib(uint32_t n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

RUN { return mix(fib(17), fib(12)); }
