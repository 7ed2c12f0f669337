"""Images are downloaded once, hashed each time, and refused when they are not what they should be."""

import functools
import hashlib
import http.server
import threading

import pytest

from firmware import images
from firmware.boards import Image
from firmware.errors import FirmwareError

DATA = bytes(range(256)) * 1024
GOOD = hashlib.sha256(DATA).hexdigest()


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        self.server.asked += 1

    def do_GET(self):
        if self.path == "/short.bin":
            self.send_response(200)
            self.send_header("Content-Length", str(len(DATA)))
            self.end_headers()
            self.wfile.write(DATA[:1000])
        else:
            super().do_GET()


@pytest.fixture
def publisher(tmp_path):
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "a.bin").write_bytes(DATA)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder)) as server:
        server.asked = 0
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def image(server, sha256=GOOD, file="a.bin"):
    return Image("A", "1", file, f"http://127.0.0.1:{server.server_port}/{file}", sha256, "6.3")


def test_download_shows_progress_and_is_kept(publisher, tmp_path):
    seen = []
    path = images.fetch(image(publisher), lambda done, total: seen.append((done, total)), tmp_path / "cache")
    assert path.read_bytes() == DATA
    assert seen[-1] == (len(DATA), len(DATA)) and len(seen) > 1
    asked = publisher.asked
    assert images.fetch(image(publisher), None, tmp_path / "cache") == path
    assert publisher.asked == asked


def test_other_bytes_are_refused_and_not_kept(publisher, tmp_path):
    with pytest.raises(FirmwareError, match="SHA-256"):
        images.fetch(image(publisher, "0" * 64), None, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_cached_file_is_checked_too(publisher, tmp_path):
    path = images.fetch(image(publisher), None, tmp_path / "cache")
    path.write_bytes(DATA[:-1] + b"!")
    with pytest.raises(FirmwareError, match="Remove it and try again"):
        images.fetch(image(publisher), None, tmp_path / "cache")


def test_an_unknown_hash_is_recorded_once_and_checked_ever_after(publisher, tmp_path):
    path = images.fetch(image(publisher, ""), None, tmp_path / "cache")
    assert (tmp_path / "cache" / "a.bin.sha256").read_text().split()[0] == GOOD
    path.write_bytes(b"other")
    with pytest.raises(FirmwareError, match="SHA-256"):
        images.fetch(image(publisher, ""), None, tmp_path / "cache")


def test_a_download_that_breaks_off_is_no_image(publisher, tmp_path):
    with pytest.raises((FirmwareError, OSError)) as caught:
        images.fetch(image(publisher, "", "short.bin"), None, tmp_path / "cache")
    assert "broke off" in str(caught.value) and not (tmp_path / "cache" / "short.bin").exists()


def test_offline_says_what_to_do(publisher, tmp_path):
    gone = image(publisher)
    publisher.server_close()
    with pytest.raises(FirmwareError) as caught:
        images.fetch(Image(**{**gone.__dict__, "url": "http://127.0.0.1:1/a.bin"}), None, tmp_path / "cache")
    assert f"put the file a.bin into {tmp_path / 'cache'} by hand" in caught.value.sentence


def test_an_image_put_there_by_hand_serves(publisher, tmp_path):
    (tmp_path / "a.bin").write_bytes(DATA)
    assert images.fetch(Image("A", "1", "a.bin", "http://127.0.0.1:1/a.bin", GOOD, "6.3"), None, tmp_path).read_bytes() == DATA
