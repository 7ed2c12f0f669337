"""Block transfer: order, repeats, losses, time-outs, resuming, and blocks that don't belong."""

from expect import raises

from mpwasm.errors import Refused
from mpwasm.wire.blocks import Download, encode_blk, encode_get, parse_blk, parse_get, serve
from mpwasm.wire.cbor import encode

DIGEST = bytes(range(32))


def blob(size):
    whole = bytearray(size)
    for i in range(size):
        whole[i] = (i * 7 + i // 251) & 255
    return whole


def fill(download, whole, order, got, now=0):
    """Answer the download's next request with its blocks in the order that `order(list)` gives."""
    get = download.request(now)
    if get is None:
        return False
    for payload in order(list(serve(whole, parse_get(get)))):
        block = download.accept(payload, now)
        if block:
            got[block[0] : block[0] + len(block[1])] = block[1]
    return True


def test_whole_blob_of_any_size_in_order_and_backwards():
    for size in (1, 1023, 1024, 1025, 16384, 16385, 40000):
        whole = blob(size)
        for order in (list, lambda answers: answers[::-1], lambda answers: answers + answers):
            download = Download(DIGEST, size)
            got = bytearray(size)
            rounds = 0
            while not download.done:
                assert fill(download, whole, order, got)
                rounds += 1
            assert got == whole and rounds == (size + 16383) // 16384 and download.progress == 100
            assert download.request(0) is None and download.wake() is None


def test_lost_blocks_are_asked_for_again_after_a_growing_time_out():
    whole = blob(5000)
    download = Download(DIGEST, 5000)
    got = bytearray(5000)
    assert download.next_request(0) == (0, 5)
    for payload in list(serve(whole, (DIGEST, 0, 1024, 5)))[::2]:
        offset, data = download.accept(payload, 0)
        got[offset : offset + len(data)] = data
    assert download.missing == 2 and download.progress == 60
    assert download.wake() == 2000
    assert download.next_request(1999) is None
    assert download.next_request(2000) == (1024, 1)
    assert download.next_request(5999) is None
    assert download.next_request(6000) == (1024, 1)
    assert download.wake() == 14000
    now = 14000
    for _ in range(10):
        download.next_request(now)
        assert download.wake() - now <= 30000
        now = download.wake()
    assert download.accept(encode_blk(DIGEST, 1024, whole[1024:2048]), now)
    assert download.next_request(now) == (3072, 1)
    assert download.wake() - now == 2000


def test_late_blocks_of_an_older_request_count():
    whole = blob(40000)
    download = Download(DIGEST, 40000)
    download.next_request(0)
    assert download.accept(encode_blk(DIGEST, 39936, whole[39936:]), 0) == (39936, whole[39936:])
    assert download.accept(encode_blk(DIGEST, 39936, whole[39936:]), 0) is None


def test_bitmap_resumes():
    whole = blob(20000)
    first = Download(DIGEST, 20000)
    got = bytearray(20000)
    fill(first, whole, lambda answers: answers[3:9], got)
    second = Download(DIGEST, 20000, bitmap=bytes(first.bitmap))
    assert second.missing == 14
    while not second.done:
        fill(second, whole, list, got)
    assert got == whole
    assert Download(DIGEST, 20000, bitmap=b"wrong size").missing == 20


def test_smaller_blocks():
    whole = blob(1000)
    download = Download(DIGEST, 1000, block=256, count=2)
    got = bytearray(1000)
    rounds = 0
    while fill(download, whole, list, got):
        rounds += 1
    assert got == whole and rounds == 2


def test_blocks_that_do_not_belong():
    whole = blob(3000)
    download = Download(DIGEST, 3000)
    assert download.accept(encode_blk(b"other..." + DIGEST, 0, whole[:1024])) is None
    for offset, data in ((1, whole[1:1025]), (0, whole[:1023]), (2048, whole[2048:] + b"x"), (3072, b"x"), (2048, b""), (4096, whole[:1024])):
        assert raises(Refused, download.accept, encode_blk(DIGEST, offset, data)).reason == "cbor"
    assert download.missing == 3


def test_other_payloads_are_refused():
    assert parse_get(encode_get(DIGEST, 5, 1024, 16)) == (DIGEST, 5, 1024, 16)
    for parts in (
        [DIGEST, 0, 1024],
        [DIGEST, 0, 1025, 1],
        [DIGEST, 0, 0, 1],
        [DIGEST, 0, 1, 17],
        [DIGEST, 0, 1, 0],
        [DIGEST, -1, 1, 1],
        [b"", 0, 1, 1],
        [DIGEST, True, 1, 1],
        {},
        7,
    ):
        assert raises(Refused, parse_get, encode(parts)).reason == "cbor"
    assert parse_blk(encode_blk(DIGEST, 5, b"data")) == (DIGEST[:8], 5, b"data")
    for parts in (
        [DIGEST, 0, b""],
        [DIGEST[:8], 0],
        [DIGEST[:8], 0, b"", 1],
        [DIGEST[:8], -1, b""],
        [DIGEST[:8], 0, "text"],
        [DIGEST[:8], 0, bytes(1025)],
        1,
    ):
        assert raises(Refused, parse_blk, encode(parts)).reason == "cbor"


def test_nothing_is_served_past_the_end():
    whole = blob(1500)
    assert [parse_blk(payload)[1:] for payload in serve(whole, (DIGEST, 1024, 1024, 16))] == [(1024, whole[1024:])]
    assert list(serve(whole, (DIGEST, 1500, 1024, 16))) == [] and list(serve(whole, (DIGEST, 99999, 1024, 1))) == []
