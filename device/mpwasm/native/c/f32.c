/* f32: comparison, arithmetic, rounding to whole numbers. */
#include "library.h"

/* comparisons; both zeros are equal, NaN is unequal to everything */

static inline u32 equal(u32 a, u32 b) { return !is_nan32(a) && (a == b || (a | b) << 1 == 0); }

static inline u32 less(u32 a, u32 b) {
    if (is_nan32(a) || is_nan32(b) || (a | b) << 1 == 0) return 0;
    return a >> 31 && b >> 31 ? a > b : (i32)a < (i32)b;
}

static inline u32 less_equal(u32 a, u32 b) {
    if (is_nan32(a) || is_nan32(b)) return 0;
    if ((a | b) << 1 == 0) return 1;
    return a >> 31 && b >> 31 ? a >= b : (i32)a <= (i32)b;
}

OP(5b, u32, f32_eq, u32 a, u32 b) { return equal(a, b); }
OP(5c, u32, f32_ne, u32 a, u32 b) { return !equal(a, b); }
OP(5d, u32, f32_lt, u32 a, u32 b) { return less(a, b); }
OP(5e, u32, f32_gt, u32 a, u32 b) { return less(b, a); }
OP(5f, u32, f32_le, u32 a, u32 b) { return less_equal(a, b); }
OP(60, u32, f32_ge, u32 a, u32 b) { return less_equal(b, a); }

/* signs, and the smaller and the larger one */

OP(8b, u32, f32_abs, u32 x) { return x & ~SIGN; }
OP(8c, u32, f32_neg, u32 x) { return x ^ SIGN; }
OP(98, u32, f32_copysign, u32 a, u32 b) { return (a & ~SIGN) | (b & SIGN); }

/* A number that sorts as x does, -0 below +0. */
static inline i32 order(u32 x) { return (i32)(x ^ ((u32)((i32)x >> 31) >> 1)); }

OP(96, u32, f32_min, u32 a, u32 b) { return is_nan32(a) || is_nan32(b) ? NAN32 : order(a) < order(b) ? a : b; }
OP(97, u32, f32_max, u32 a, u32 b) { return is_nan32(a) || is_nan32(b) ? NAN32 : order(a) > order(b) ? a : b; }

/* rounding to whole numbers: what is to be added to the magnitude before its fraction is cut off */

enum { CEIL, FLOOR, TRUNC, NEAREST };

static inline u32 whole(u32 x, u32 mode) {
    u32 e = x >> 23 & 0xFF, sign = x & SIGN;
    u32 away = mode == FLOOR ? sign : mode == CEIL ? !sign : 0;
    if (e >= 150) return is_nan32(x) ? NAN32 : x;
    if (e < 127) {
        if (mode == NEAREST) away = (x & ~SIGN) > 0x3F000000;
        return away && x << 1 ? sign | 0x3F800000 : sign;
    }
    u32 mask = 0x7FFFFFu >> (e - 127);
    if (mode == NEAREST) x += (mask >> 1) + (x >> (150 - e) & 1);
    else if (away) x += mask;
    return x & ~mask;
}

OP(8d, u32, f32_ceil, u32 x) { return whole(x, CEIL); }
OP(8e, u32, f32_floor, u32 x) { return whole(x, FLOOR); }
OP(8f, u32, f32_trunc, u32 x) { return whole(x, TRUNC); }
OP(90, u32, f32_nearest, u32 x) { return whole(x, NEAREST); }

/* arithmetic */

u32 pack32(u32 sign, i32 e, u32 m) {
    if (e < 0) m = jam(m, (u32)-e), e = 0;
    else if (e > 0xFD) return sign | INF32;
    return round32(sign, e, m);
}

OP(92, u32, f32_add, u32 a, u32 b) {
    if (a << 1 < b << 1) {
        BRANCH;
        u32 c = a;
        a = b, b = c;
    }
    u32 sign = a & SIGN, opposite = (a ^ b) & SIGN, ea = a >> 23 & 0xFF, eb = b >> 23 & 0xFF, ma = (a & 0x7FFFFF) << 7, mb = (b & 0x7FFFFF) << 7;
    if (ea == 0xFF) return is_nan32(a) || (eb == 0xFF && a != b) ? NAN32 : a;
    if (ea) { BRANCH; ea--, ma |= 0x40000000; }
    if (eb) { BRANCH; eb--, mb |= 0x40000000; }
    u32 apart = ea - eb;
    if (apart) { BRANCH; mb = apart < 32 ? mb >> apart | (mb << (32 - apart) != 0) : mb != 0; }
    if (!opposite) {
        ma += mb;
        if (ma >> 31) { BRANCH; ma = ma >> 1 | (ma & 1), ea++; }
        return packed32(sign, (i32)ea, ma);
    }
    ma -= mb;
    if (!(ma >> 30)) {
        if (!ma) return 0;
        u32 n = zeros(ma) - 1;
        if (n > ea) n = ea;
        ma <<= n, ea -= n;
    }
    return packed32(sign, (i32)ea, ma);
}

OP(93, u32, f32_sub, u32 a, u32 b) { return f32_add(a, b ^ SIGN); }

OP(94, u32, f32_mul, u32 a, u32 b) {
    u32 sign = (a ^ b) & SIGN, ma = (a & 0x7FFFFF) | 0x800000, mb = (b & 0x7FFFFF) | 0x800000;
    i32 ea = a >> 23 & 0xFF, eb = b >> 23 & 0xFF;
    if ((u32)ea - 1 >= 0xFE || (u32)eb - 1 >= 0xFE) {
        BRANCH;
        a &= ~SIGN, b &= ~SIGN;
        if (a >= INF32 || b >= INF32) return a > INF32 || b > INF32 || !a || !b ? NAN32 : sign | INF32;
        if (!a || !b) return sign;
        ma = mantissa32(a, &ea), mb = mantissa32(b, &eb);
    }
    u32 al = ma & 0xFFF, ah = ma >> 12, bl = mb & 0xFFF, bh = mb >> 12;
    u32 bottom = al * bl, middle = ah * bl + al * bh + (bottom >> 12);
    u32 m = (ah * bh + (middle >> 12)) << 7 | (middle & 0xFFF) >> 5 | ((middle << 27 | bottom << 20) != 0);
    i32 e = ea + eb - 127;
    if (!(m >> 30)) { BRANCH; m <<= 1, e--; }
    return packed32(sign, e, m);
}

OP(95, u32, f32_div, u32 a, u32 b) {
    u32 sign = (a ^ b) & SIGN;
    a &= ~SIGN, b &= ~SIGN;
    if (a > INF32 || b > INF32 || (a == b && (!a || a == INF32))) return NAN32;
    if (a == INF32 || !b) return sign | INF32;
    if (!a || b == INF32) return sign;
    i32 ea, eb;
    u32 ma = mantissa32(a, &ea), mb = mantissa32(b, &eb), q = 0;
    i32 e = ea - eb + 126;
    if (ma < mb) { BRANCH; ma <<= 1, e--; }
    for (u32 bit = 1u << 30; bit > 1 << 4; bit >>= 1) {
        if (ma >= mb) { BRANCH; ma -= mb, q |= bit; }
        ma <<= 1;
    }
    return pack32(sign, e, q | (ma != 0));
}

OP(91, u32, f32_sqrt, u32 x) {
    if (is_nan32(x)) return NAN32;
    if (x << 1 == 0 || x == INF32) return x;
    if (x & SIGN) return NAN32;
    i32 e;
    u32 m = mantissa32(x, &e) << 7, root = 0, rest = 0;
    if (!(e & 1)) { BRANCH; m <<= 1; }
    for (u32 n = 26; n; n--) {
        u32 next = root << 2 | 1;
        rest = rest << 2 | m >> 30;
        m <<= 2;
        root <<= 1;
        if (rest >= next) { BRANCH; rest -= next, root |= 1; }
    }
    return pack32(0, ((e - 127) >> 1) + 126, root << 5 | (rest != 0));
}
