/* Integers of 64 bits as far as no template makes them; division of 32 bits; the counting of bits. Who calls has checked for a division by
 * zero, and for one by -1 whose quotient does not fit. */
#include "library.h"

OP(67, u32, i32_clz, u32 x) { return x ? zeros(x) : 32; }

OP(68, u32, i32_ctz, u32 x) { return x ? 31 - zeros(x & -x) : 32; }

OP(69, u32, i32_popcnt, u32 x) {
    x = (x & 0x55555555) + (x >> 1 & 0x55555555);
    x = (x & 0x33333333) + (x >> 2 & 0x33333333);
    x = (x + (x >> 4)) & 0x0F0F0F0F;
    x += x >> 8;
    return (x + (x >> 16)) & 63;
}

OP(79, u64, i64_clz, u64 x) { return x ? zeros64(x) : 64; }

OP(7a, u64, i64_ctz, u64 x) { return low(x) ? i32_ctz(low(x)) : 32 + i32_ctz(high(x)); }

OP(7b, u64, i64_popcnt, u64 x) { return i32_popcnt(low(x)) + i32_popcnt(high(x)); }

/* shifts */

OP(86, u64, i64_shl, u64 x, u64 count) {
    u32 n = low(count) & 31;
    if (low(count) & 32) return make(low(x) << n, 0);
    return make(high(x) << n | low(x) >> 1 >> (31 - n), low(x) << n);
}

OP(87, u64, i64_shr_s, u64 x, u64 count) {
    u32 n = low(count) & 31;
    i32 top = (i32)high(x);
    if (low(count) & 32) return make((u32)(top >> 31), (u32)(top >> n));
    return make((u32)(top >> n), low(x) >> n | high(x) << 1 << (31 - n));
}

OP(88, u64, i64_shr_u, u64 x, u64 count) {
    u32 n = low(count) & 31;
    if (low(count) & 32) return high(x) >> n;
    return make(high(x) >> n, low(x) >> n | high(x) << 1 << (31 - n));
}

OP(89, u64, i64_rotl, u64 x, u64 count) {
    u32 n = low(count) & 31, a = high(x), b = low(x);
    if (low(count) & 32) a = low(x), b = high(x);
    return make(a << n | b >> 1 >> (31 - n), b << n | a >> 1 >> (31 - n));
}

OP(8a, u64, i64_rotr, u64 x, u64 count) { return i64_rotl(x, 0 - low(count)); }

u64 jam64(u64 x, u32 n) {
    if (n > 63) return x != 0;
    u64 y = i64_shr_u(x, n);
    return i64_shl(y, n) == x ? y : y | 1;
}

/* products */

u64 product(u32 a, u32 b) {
    u32 al = a & 0xFFFF, ah = a >> 16, bl = b & 0xFFFF, bh = b >> 16;
    u32 bottom = al * bl, middle = ah * bl + (bottom >> 16), other = al * bh + (middle & 0xFFFF);
    return make(ah * bh + (middle >> 16) + (other >> 16), other << 16 | (bottom & 0xFFFF));
}

OP(7e, u64, i64_mul, u64 x, u64 y) {
    u32 a = low(x), b = low(y);
    u32 al = a & 0xFFFF, ah = a >> 16, bl = b & 0xFFFF, bh = b >> 16;
    u32 bottom = al * bl, middle = ah * bl + (bottom >> 16), other = al * bh + (middle & 0xFFFF);
    u32 top = ah * bh + (middle >> 16) + (other >> 16) + a * high(y) + high(x) * b;
    return make(top, other << 16 | (bottom & 0xFFFF));
}

/* quotients: bit by bit, from the first bit that can be set */

static u32 divide(u32 a, u32 b, u32 rest) {
    u32 q = 0;
    if (a >= b) {
        u32 n = zeros(b) - zeros(a);
        u32 bit = 1u << n;
        b <<= n;
        do {
            if (a >= b) { BRANCH; a -= b, q |= bit; }
            b >>= 1;
            bit >>= 1;
        } while (bit);
    }
    return rest ? a : q;
}

OP(6e, u32, i32_div_u, u32 a, u32 b) { return divide(a, b, 0); }
OP(70, u32, i32_rem_u, u32 a, u32 b) { return divide(a, b, 1); }

static inline u32 turn(u32 x, u32 sign) { return (x ^ sign) - sign; }

static u32 divide_signed(u32 a, u32 b, u32 rest) {
    u32 sa = (u32)((i32)a >> 31), sb = (u32)((i32)b >> 31);
    return turn(divide(turn(a, sa), turn(b, sb), rest), rest ? sa : sa ^ sb);
}

OP(6d, u32, i32_div_s, u32 a, u32 b) { return divide_signed(a, b, 0); }
OP(6f, u32, i32_rem_s, u32 a, u32 b) { return divide_signed(a, b, 1); }

static u64 divide64(u64 a, u64 b, u32 rest) {
    if (!high(a) && !high(b)) return divide(low(a), low(b), rest);
    u64 q = 0;
    if (a >= b) {
        u32 n = zeros64(b) - zeros64(a);
        b = i64_shl(b, n);
        do {
            q <<= 1;
            if (a >= b) { BRANCH; a -= b, q |= 1; }
            b >>= 1;
        } while (n--);
    }
    return rest ? a : q;
}

OP(80, u64, i64_div_u, u64 a, u64 b) { return divide64(a, b, 0); }
OP(82, u64, i64_rem_u, u64 a, u64 b) { return divide64(a, b, 1); }

static u64 divide64_signed(u64 a, u64 b, u32 rest) {
    u32 sign = rest ? high(a) : high(a) ^ high(b);
    u64 x = divide64((i32)high(a) < 0 ? 0 - a : a, (i32)high(b) < 0 ? 0 - b : b, rest);
    return (i32)sign < 0 ? 0 - x : x;
}

OP(7f, u64, i64_div_s, u64 a, u64 b) { return divide64_signed(a, b, 0); }
OP(81, u64, i64_rem_s, u64 a, u64 b) { return divide64_signed(a, b, 1); }
