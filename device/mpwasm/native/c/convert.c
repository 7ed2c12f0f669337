/* Conversions between integers and floats, and between the floats. To integers they saturate; an instruction that traps comes here only
 * with what is in range. */
#include "library.h"

/* from integers */

static u32 f32_from(u32 sign, u32 x) {
    if (!x) return 0;
    u32 n = zeros(x);
    x <<= n;
    return pack32(sign, (i32)(157 - n), x >> 1 | (x & 1));
}

static u32 f32_from64(u32 sign, u64 x) {
    if (!high(x)) return f32_from(sign, low(x));
    u32 n = zeros(high(x));
    x = i64_shl(x, n);
    return pack32(sign, (i32)(189 - n), high(x) >> 1 | ((high(x) & 1) | (low(x) != 0)));
}

static u64 f64_from(u32 sign, u32 x) {
    if (!x) return 0;
    u32 n = zeros(x);
    x <<= n;
    return make((x >> 11) + (sign | (1053 - n) << 20), x << 21);
}

static u64 f64_from64(u32 sign, u64 x) {
    if (!x) return 0;
    u32 n = zeros64(x);
    x = i64_shl(x, n);
    return pack64(sign, (i32)(1085 - n), x >> 1 | (x & 1));
}

static inline u32 magnitude(u32 x) { return (i32)x < 0 ? 0 - x : x; }
static inline u64 magnitude64(u64 x) { return (i32)high(x) < 0 ? 0 - x : x; }

OP(b2, u32, f32_convert_i32_s, u32 x) { return f32_from(x & SIGN, magnitude(x)); }
OP(b3, u32, f32_convert_i32_u, u32 x) { return f32_from(0, x); }
OP(b4, u32, f32_convert_i64_s, u64 x) { return f32_from64(high(x) & SIGN, magnitude64(x)); }
OP(b5, u32, f32_convert_i64_u, u64 x) { return f32_from64(0, x); }
OP(b7, u64, f64_convert_i32_s, u32 x) { return f64_from(x & SIGN, magnitude(x)); }
OP(b8, u64, f64_convert_i32_u, u32 x) { return f64_from(0, x); }
OP(b9, u64, f64_convert_i64_s, u64 x) { return f64_from64(high(x) & SIGN, magnitude64(x)); }
OP(ba, u64, f64_convert_i64_u, u64 x) { return f64_from64(0, x); }

/* between floats */

OP(b6, u32, f32_demote_f64, u64 x) {
    u32 sign = high(x) & SIGN, e = high(x) >> 20 & 0x7FF;
    if (is_nan64(x)) return NAN32;
    if (e == 0x7FF) return sign | INF32;
    if (x << 1 == 0) return sign;
    u32 m = (high(x) & 0xFFFFF) << 10 | 0x40000000 | low(x) >> 22 | (low(x) << 10 != 0);
    return pack32(sign, (i32)e - 897, m);
}

OP(bb, u64, f64_promote_f32, u32 x) {
    u32 sign = x & SIGN;
    if (is_nan32(x)) return NAN64;
    x &= ~SIGN;
    if (!x) return make(sign, 0);
    if (x == INF32) return make(sign | 0x7FF00000, 0);
    i32 e;
    u32 m = mantissa32(x, &e);
    return make(sign + ((u32)(e + 895) << 20) + (m >> 3), m << 29);
}

/* to integers: m is the magnitude, cut off; beyond the range it is the largest, NaN gives 0 */

static inline u32 as_signed(u32 negative, u32 m) {
    u32 most = 0x7FFFFFFFu + (negative != 0);
    m = m > most ? most : m;
    return negative ? 0 - m : m;
}

static inline u64 as_signed64(u32 negative, u64 m) {
    u64 most = make(0x7FFFFFFF, 0xFFFFFFFF) + (negative != 0);
    m = m > most ? most : m;
    return negative ? 0 - m : m;
}

static u32 word32(u32 x) {
    u32 e = x >> 23 & 0xFF;
    if (e < 127 || is_nan32(x)) return 0;
    return e > 158 ? 0xFFFFFFFF : (x << 8 | SIGN) >> (158 - e);
}

static u64 pair32(u32 x) {
    u32 e = x >> 23 & 0xFF;
    if (e < 127 || is_nan32(x)) return 0;
    return e > 190 ? ~(u64)0 : i64_shr_u(make(x << 8 | SIGN, 0), 190 - e);
}

static u32 word64(u64 x) {
    u32 e = high(x) >> 20 & 0x7FF;
    if (e < 1023 || is_nan64(x)) return 0;
    return e > 1054 ? 0xFFFFFFFF : (high(x) << 11 | SIGN | low(x) >> 21) >> (1054 - e);
}

static u64 pair64(u64 x) {
    u32 e = high(x) >> 20 & 0x7FF;
    if (e < 1023 || is_nan64(x)) return 0;
    return e > 1086 ? ~(u64)0 : i64_shr_u(x << 11 | make(SIGN, 0), 1086 - e);
}

OP(fc00, u32, i32_trunc_sat_f32_s, u32 x) { return as_signed(x >> 31, word32(x)); }
OP(fc01, u32, i32_trunc_sat_f32_u, u32 x) { return x >> 31 ? 0 : word32(x); }
OP(fc02, u32, i32_trunc_sat_f64_s, u64 x) { return as_signed(high(x) >> 31, word64(x)); }
OP(fc03, u32, i32_trunc_sat_f64_u, u64 x) { return high(x) >> 31 ? 0 : word64(x); }
OP(fc04, u64, i64_trunc_sat_f32_s, u32 x) { return as_signed64(x >> 31, pair32(x)); }
OP(fc05, u64, i64_trunc_sat_f32_u, u32 x) { return x >> 31 ? 0 : pair32(x); }
OP(fc06, u64, i64_trunc_sat_f64_s, u64 x) { return as_signed64(high(x) >> 31, pair64(x)); }
OP(fc07, u64, i64_trunc_sat_f64_u, u64 x) { return high(x) >> 31 ? 0 : pair64(x); }
