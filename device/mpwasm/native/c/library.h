/* The run-time library of machine code: what the templates leave out, in integer C (IEEE 754-2019, WebAssembly 2.0, section 4.3).
 *
 * Functions are exported by the opcode of their instruction, in hexadecimal. Floats are bit patterns; a NaN that comes out is the canonical one.
 * Nothing here may need the library in turn: no multiplication or division of 64 bits, no division, no shift of 64 bits by a
 * variable, no counting of bits, no memory. tests/native/test_library.py looks at every op.
 */
#include <stdint.h>

typedef uint32_t u32;
typedef int32_t i32;
typedef uint64_t u64;

#define OP(code, result, name, ...) __attribute__((export_name(#code))) result name(__VA_ARGS__)

#define SIGN 0x80000000u
#define NAN32 0x7FC00000u
#define INF32 0x7F800000u
#define NAN64 0x7FF8000000000000u
#define INF64 0x7FF0000000000000u

static inline u32 low(u64 x) { return (u32)x; }
static inline u32 high(u64 x) { return (u32)(x >> 32); }
static inline u64 make(u32 hi, u32 lo) { return (u64)hi << 32 | lo; }

/* Where a branch stays a branch: clang's choice, a select, takes twice the time on a Cortex-M0. */
#define BRANCH __asm__ volatile("")

/* Bits above the highest one of x, which is not 0. */
static inline u32 zeros(u32 x) {
    u32 n = 0;
    if (!(x >> 16)) { BRANCH; n = 16, x <<= 16; }
    if (!(x >> 24)) { BRANCH; n += 8, x <<= 8; }
    if (!(x >> 28)) { BRANCH; n += 4, x <<= 4; }
    if (!(x >> 30)) { BRANCH; n += 2, x <<= 2; }
    return n + 1 - (x >> 31);
}

u32 i32_clz(u32 x);
static inline u32 zeros64(u64 x) { return high(x) ? i32_clz(high(x)) : 32 + i32_clz(low(x)); }

/* Shifts by a variable, never inlined: clang would see what they do. */
__attribute__((noinline)) u64 i64_shl(u64 x, u64 count);
__attribute__((noinline)) u64 i64_shr_u(u64 x, u64 count);

/* x >> n, the lowest bit being set where ones fall out. */
static inline u32 jam(u32 x, u32 n) { return n < 32 ? x >> n | (n && x << (32 - n)) : x != 0; }
u64 jam64(u64 x, u32 n);

/* The product of two words, and their quotient and remainder. */
u64 product(u32 a, u32 b);

/* The float with biased exponent e + 1 whose hidden bit is bit 30 (62) of m, rounded; e below 0 makes it subnormal. */
u32 pack32(u32 sign, i32 e, u32 m);
static inline u32 round32(u32 sign, i32 e, u32 m) { return sign + ((u32)e << 23) + ((m + 0x3F + (m >> 7 & 1)) >> 7); }
static inline u32 packed32(u32 sign, i32 e, u32 m) { return (u32)e < 0xFD ? round32(sign, e, m) : pack32(sign, e, m); }
u64 pack64(u32 sign, i32 e, u64 m);

static inline u32 is_nan32(u32 x) { return x << 1 > INF32 << 1; }
static inline u32 is_nan64(u64 x) { return x << 1 > INF64 << 1; }

/* A finite number other than 0: its mantissa with the hidden bit as bit 23 (52), and its biased exponent. */
static inline u32 mantissa32(u32 x, i32 *e) {
    *e = x >> 23 & 0xFF;
    x &= 0x7FFFFF;
    if (*e) return x | 0x800000;
    u32 n = i32_clz(x) - 8;
    *e = 1 - (i32)n;
    return x << n;
}

static inline u64 mantissa64(u64 x, i32 *e) {
    *e = high(x) >> 20 & 0x7FF;
    x = make(high(x) & 0xFFFFF, low(x));
    if (*e) return x | 0x10000000000000;
    u32 n = zeros64(x) - 11;
    *e = 1 - (i32)n;
    return i64_shl(x, n);
}
