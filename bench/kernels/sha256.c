/* Rotations and additions: SHA-256 (FIPS 180-4) of 1,000 bytes; the checksum is the digest's first word. */
#include "kernel.h"

enum { SIZE = 1000, BLOCKS = (SIZE + 9 + 63) / 64 };
static uint8_t text[BLOCKS * 64];
static uint32_t w[64], h[8];

static uint32_t rotate(uint32_t x, uint32_t by) { return x >> by | x << (32 - by); }

static const uint32_t k[64] = { /* the fractions of the cube roots of the first 64 primes */
    0x428A2F98u, 0x71374491u, 0xB5C0FBCFu, 0xE9B5DBA5u, 0x3956C25Bu, 0x59F111F1u, 0x923F82A4u, 0xAB1C5ED5u,
    0xD807AA98u, 0x12835B01u, 0x243185BEu, 0x550C7DC3u, 0x72BE5D74u, 0x80DEB1FEu, 0x9BDC06A7u, 0xC19BF174u,
    0xE49B69C1u, 0xEFBE4786u, 0x0FC19DC6u, 0x240CA1CCu, 0x2DE92C6Fu, 0x4A7484AAu, 0x5CB0A9DCu, 0x76F988DAu,
    0x983E5152u, 0xA831C66Du, 0xB00327C8u, 0xBF597FC7u, 0xC6E00BF3u, 0xD5A79147u, 0x06CA6351u, 0x14292967u,
    0x27B70A85u, 0x2E1B2138u, 0x4D2C6DFCu, 0x53380D13u, 0x650A7354u, 0x766A0ABBu, 0x81C2C92Eu, 0x92722C85u,
    0xA2BFE8A1u, 0xA81A664Bu, 0xC24B8B70u, 0xC76C51A3u, 0xD192E819u, 0xD6990624u, 0xF40E3585u, 0x106AA070u,
    0x19A4C116u, 0x1E376C08u, 0x2748774Cu, 0x34B0BCB5u, 0x391C0CB3u, 0x4ED8AA4Au, 0x5B9CCA4Fu, 0x682E6FF3u,
    0x748F82EEu, 0x78A5636Fu, 0x84C87814u, 0x8CC70208u, 0x90BEFFFAu, 0xA4506CEBu, 0xBEF9A3F7u, 0xC67178F2u,
};

static void block(const uint8_t *from) {
    uint32_t s[8];
    for (int t = 0; t < 16; t++) w[t] = (uint32_t)from[4 * t] << 24 | (uint32_t)from[4 * t + 1] << 16 | (uint32_t)from[4 * t + 2] << 8 | from[4 * t + 3];
    for (int t = 16; t < 64; t++)
        w[t] = w[t - 16] + (rotate(w[t - 15], 7) ^ rotate(w[t - 15], 18) ^ w[t - 15] >> 3) + w[t - 7] +
               (rotate(w[t - 2], 17) ^ rotate(w[t - 2], 19) ^ w[t - 2] >> 10);
    for (int i = 0; i < 8; i++) s[i] = h[i];
    for (int t = 0; t < 64; t++) {
        uint32_t one = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) + (s[6] ^ (s[4] & (s[5] ^ s[6]))) + k[t] + w[t];
        uint32_t two = (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) + ((s[0] & s[1]) | (s[2] & (s[0] | s[1])));
        for (int i = 7; i; i--) s[i] = s[i - 1];
        s[4] += one;
        s[0] = one + two;
    }
    for (int i = 0; i < 8; i++) h[i] += s[i];
}

RUN {
    static const uint32_t initial[8] = {
        0x6A09E667u, 0xBB67AE85u, 0x3C6EF372u, 0xA54FF53Au, 0x510E527Fu, 0x9B05688Cu, 0x1F83D9ABu, 0x5BE0CD19u,
    };
    for (uint32_t i = 0; i < 8; i++) h[i] = initial[i];
    for (uint32_t i = 0; i < SIZE; i++) text[i] = (uint8_t)(i * 7 + 3);
    text[SIZE] = 0x80;
    text[sizeof text - 2] = (SIZE * 8) >> 8;
    text[sizeof text - 1] = (SIZE * 8) & 0xFF;
    for (uint32_t i = 0; i < BLOCKS; i++) block(text + 64 * i);
    return h[0];
}
