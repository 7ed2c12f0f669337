/* f64: comparison, arithmetic, rounding to whole numbers. */
#include "library.h"

#define SIGN64 0x8000000000000000u

/* comparisons; both zeros are equal, NaN is unequal to everything */

static u32 equal(u64 a, u64 b) { return !is_nan64(a) && (a == b || (a | b) << 1 == 0); }

static u32 less(u64 a, u64 b) {
    if (is_nan64(a) || is_nan64(b) || (a | b) << 1 == 0) return 0;
    return (high(a) & high(b)) >> 31 ? a > b : (int64_t)a < (int64_t)b;
}

static u32 less_equal(u64 a, u64 b) { return equal(a, b) || less(a, b); }

OP(61, u32, f64_eq, u64 a, u64 b) { return equal(a, b); }
OP(62, u32, f64_ne, u64 a, u64 b) { return !equal(a, b); }
OP(63, u32, f64_lt, u64 a, u64 b) { return less(a, b); }
OP(64, u32, f64_gt, u64 a, u64 b) { return less(b, a); }
OP(65, u32, f64_le, u64 a, u64 b) { return less_equal(a, b); }
OP(66, u32, f64_ge, u64 a, u64 b) { return less_equal(b, a); }

/* signs, and the smaller and the larger one */

OP(99, u64, f64_abs, u64 x) { return x & ~SIGN64; }
OP(9a, u64, f64_neg, u64 x) { return x ^ SIGN64; }
OP(a6, u64, f64_copysign, u64 a, u64 b) { return (a & ~SIGN64) | (b & SIGN64); }

/* Whether a sorts before b, -0 before +0. */
static u32 before(u64 a, u64 b) { return (high(a) & high(b)) >> 31 ? a > b : (int64_t)a < (int64_t)b; }

OP(a4, u64, f64_min, u64 a, u64 b) { return is_nan64(a) || is_nan64(b) ? NAN64 : before(a, b) ? a : b; }
OP(a5, u64, f64_max, u64 a, u64 b) { return is_nan64(a) || is_nan64(b) ? NAN64 : before(a, b) ? b : a; }

/* rounding to whole numbers */

enum { CEIL, FLOOR, TRUNC, NEAREST };

static u64 whole(u64 x, u32 mode) {
    u32 e = high(x) >> 20 & 0x7FF, sign = high(x) & SIGN;
    u32 away = mode == FLOOR ? sign : mode == CEIL ? !sign : 0;
    if (e >= 1075) return is_nan64(x) ? NAN64 : x;
    if (e < 1023) {
        if (mode == NEAREST) away = x << 1 > 0x3FE0000000000000u << 1;
        return make(away && x << 1 ? sign | 0x3FF00000 : sign, 0);
    }
    u32 n = 1075 - e, word = n < 32 ? low(x) : high(x), odd = word >> (n & 31) & 1, part = (1u << (n & 31)) - 1;
    u64 mask = n < 32 ? part : make(part, 0xFFFFFFFF);
    if (mode == NEAREST) x += (mask >> 1) + odd;
    else if (away) x += mask;
    return x & ~mask;
}

OP(9b, u64, f64_ceil, u64 x) { return whole(x, CEIL); }
OP(9c, u64, f64_floor, u64 x) { return whole(x, FLOOR); }
OP(9d, u64, f64_trunc, u64 x) { return whole(x, TRUNC); }
OP(9e, u64, f64_nearest, u64 x) { return whole(x, NEAREST); }

/* arithmetic */

u64 pack64(u32 sign, i32 e, u64 m) {
    if (e < 0) m = jam64(m, (u32)-e), e = 0;
    else if (e > 0x7FD) return make(sign | 0x7FF00000, 0);
    u32 rest = low(m) & 0x3FF;
    m = (m + 0x200) >> 10;
    if (rest == 0x200) m &= ~(u64)1;
    return m + make(sign + ((u32)e << 20), 0);
}

static u64 add(u64 a, u64 b) {
    if (a << 1 < b << 1) {
        u64 c = a;
        a = b, b = c;
    }
    u32 sign = high(a) & SIGN, ea = high(a) >> 20 & 0x7FF, eb = high(b) >> 20 & 0x7FF;
    if (ea == 0x7FF) return is_nan64(a) || (eb == 0x7FF && a != b) ? NAN64 : a;
    u64 ma = (a & 0xFFFFFFFFFFFFF) << 10, mb = (b & 0xFFFFFFFFFFFFF) << 10;
    if (ea) ea--, ma |= (u64)1 << 62;
    if (eb) eb--, mb |= (u64)1 << 62;
    mb = jam64(mb, ea - eb);
    if ((high(a) ^ high(b)) & SIGN) {
        u64 m = ma - mb;
        if (!m) return 0;
        u32 n = zeros64(m) - 1;
        if (n > ea) n = ea;
        return pack64(sign, (i32)(ea - n), i64_shl(m, n));
    }
    u64 m = ma + mb;
    if (high(m) >> 31) return pack64(sign, (i32)ea + 1, m >> 1 | (m & 1));
    return pack64(sign, (i32)ea, m);
}

OP(a0, u64, f64_add, u64 a, u64 b) { return add(a, b); }
OP(a1, u64, f64_sub, u64 a, u64 b) { return add(a, b ^ SIGN64); }

OP(a2, u64, f64_mul, u64 a, u64 b) {
    u32 sign = (high(a) ^ high(b)) & SIGN;
    a &= ~SIGN64, b &= ~SIGN64;
    if (a >= INF64 || b >= INF64) return a > INF64 || b > INF64 || !a || !b ? NAN64 : make(sign | 0x7FF00000, 0);
    if (!a || !b) return make(sign, 0);
    i32 ea, eb;
    u64 ma = mantissa64(a, &ea) << 11, mb = mantissa64(b, &eb) << 11;
    u64 bottom = product(low(ma), low(mb));
    u64 middle = product(low(ma), high(mb)) + high(bottom);
    u64 other = product(high(ma), low(mb)) + low(middle);
    u64 m = product(high(ma), high(mb)) + high(middle) + high(other);
    u32 rest = (low(bottom) | low(other)) != 0;
    i32 e = ea + eb - 1024;
    if (high(m) >> 31) return pack64(sign, e + 1, m >> 1 | ((m & 1) | rest));
    return pack64(sign, e, m | rest);
}

/* x << 1, hidden from clang, which would make it a shift by a condition. */
static inline u64 twice(u64 x) {
    x += x;
    __asm__("" : "+r"(x));
    return x;
}

OP(a3, u64, f64_div, u64 a, u64 b) {
    u32 sign = (high(a) ^ high(b)) & SIGN;
    a &= ~SIGN64, b &= ~SIGN64;
    if (a > INF64 || b > INF64 || (a == b && (!a || a == INF64))) return NAN64;
    if (a == INF64 || !b) return make(sign | 0x7FF00000, 0);
    if (!a || b == INF64) return make(sign, 0);
    i32 ea, eb;
    u64 ma = mantissa64(a, &ea), mb = mantissa64(b, &eb), q = 0;
    i32 e = ea - eb + 1022;
    if (ma < mb) ma = twice(ma), e--;
    for (u32 n = 55; n; n--) {
        q <<= 1;
        if (ma >= mb) { BRANCH; ma -= mb, q |= 1; }
        ma <<= 1;
    }
    return pack64(sign, e, q << 8 | (ma != 0));
}

OP(9f, u64, f64_sqrt, u64 x) {
    if (is_nan64(x)) return NAN64;
    if (x << 1 == 0 || x == INF64) return x;
    if (high(x) & SIGN) return NAN64;
    i32 e;
    u64 m = mantissa64(x, &e) << 10, root = 0, rest = 0;
    if (!(e & 1)) m = twice(m);
    for (u32 n = 55; n; n--) {
        u64 next = root << 2 | 1;
        rest = rest << 2 | high(m) >> 30;
        m <<= 2;
        root <<= 1;
        if (rest >= next) { BRANCH; rest -= next, root |= 1; }
    }
    return pack64(0, ((e - 1023) >> 1) + 1022, root << 8 | (rest != 0));
}
