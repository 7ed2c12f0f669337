"""SHA-512 (FIPS 180-4 examples) and Ed25519 (RFC 8032, section 7.1), and what strict verification refuses."""

from mpwasm.wire.ed25519 import Verifier, verify
from mpwasm.wire.sha512 import expand, hashing, padding, sha512

L = (1 << 252) + 27742317777372353535851937790883648493

# (public key, message, signature): RFC 8032, 7.1, TEST 1, 2, 3 and SHA(abc)
VECTORS = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
)


def vector(index):
    return [bytes.fromhex(text) for text in VECTORS[index]]


def test_sha512_examples():
    examples = (
        (b"", "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"),
        (b"abc", VECTORS[3][1]),
        (
            b"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909",
        ),
    )
    for message, digest in examples:
        assert sha512(message) == bytes.fromhex(digest)


def test_sha512_padding_fills_blocks():
    for length in (0, 1, 110, 111, 112, 127, 128, 239, 240):
        assert (length + len(padding(length))) % 128 == 0


def test_sha512_comes_in_two_steps_a_block():
    for length, blocks in ((0, 1), (111, 1), (112, 2), (300, 3)):
        assert len(list(hashing(bytes(length)))) == 2 * blocks


def test_sha512_has_sixteen_words_of_the_schedule_at_a_time():
    w = [0x6162638000000000] + [0] * 14 + [0x18]  # "abc", padded
    place = w
    expand(w)
    assert w is place and len(w) == 16
    assert w[:4] == [0x6162638000000000, 0x00030000000000C0, 0x0A9699A24C700003, 0x00000C0060000603]  # W16 to W19


def test_rfc_8032():
    for index in range(4):
        key, message, signature = vector(index)
        assert verify(key, signature, message) is True


def test_flipped_bits_are_refused():
    key, message, signature = vector(2)
    for position in (0, 17, 31, 32, 50, 63):
        changed = bytearray(signature)
        changed[position] ^= 4
        assert verify(key, bytes(changed), message) is False
    for position in (0, 13, 31):
        changed = bytearray(key)
        changed[position] ^= 0x40
        assert verify(bytes(changed), signature, message) is False
    assert verify(key, signature, message + b"\0") is False
    assert verify(vector(1)[0], signature, message) is False


def test_s_must_be_below_l():
    key, message, signature = vector(1)
    s = int.from_bytes(signature[32:], "little")
    assert verify(key, signature[:32] + (s + L).to_bytes(32, "little"), message) is False
    assert verify(key, signature[:32] + L.to_bytes(32, "little"), message) is False


def test_wrong_lengths_are_refused():
    key, message, signature = vector(1)
    for bad_key, bad_signature in (
        (b"", signature),
        (key[:31], signature),
        (key + b"\0", signature),
        (key, b""),
        (key, signature[:63]),
        (key, signature + b"\0"),
    ):
        assert verify(bad_key, bad_signature, message) is False


def test_keys_of_small_order_are_refused():
    p = (1 << 255) - 19
    neutral = (1).to_bytes(32, "little")
    forged = neutral + bytes(32)  # R neutral, S = 0: the equation holds for a neutral key and any message
    order8 = [
        int.from_bytes(bytes.fromhex(text), "little")
        for text in (
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        )
    ]
    for y in [1, p - 1, 0, p, p + 1] + order8:
        for sign in (0, 1):
            key = (y | sign << 255).to_bytes(32, "little")
            assert verify(key, forged, b"any") is False


def test_stepwise_gives_none_until_it_knows():
    key, message, signature = vector(1)
    verifier = Verifier(bytearray(key), memoryview(signature), message)
    results = []
    while not results or results[-1] is None:
        results.append(verifier.step())
    assert results[-1] is True and len(results) > 20 and set(results[:-1]) == {None}
    assert verifier.step() is True
    assert Verifier(key, b"", message).step() is False
