"""Official firmware images: downloaded once into a cache, and hashed each time before they are used."""

import hashlib
import os
import urllib.error
import urllib.request
from pathlib import Path

from firmware.errors import FirmwareError

_CHUNK = 65536
_TIMEOUT_S = 30


def cache_folder():
    """Where images are kept: $WASMFLEET_FIRMWARE, else ~/.cache/wasmfleet/firmware."""
    return Path(os.environ.get("WASMFLEET_FIRMWARE") or Path.home() / ".cache" / "wasmfleet" / "firmware")


def digest(path):
    """SHA-256 of a file, as hex."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def wanted(image, folder):
    """The SHA-256 that the image must have: of versions.toml, else the one recorded at its first download; "" if neither."""
    recorded = folder / f"{image.file}.sha256"
    return image.sha256 or (recorded.read_text().split()[0] if recorded.exists() else "")


def check(image, path, folder):
    """Raise FirmwareError unless the file is the image; record the hash of one that was not known before."""
    found, right = digest(path), wanted(image, folder)
    if not right:
        (folder / f"{image.file}.sha256").write_text(f"{found}  {image.file}\n")
    elif found != right:
        raise FirmwareError(f"{path} is not {image.file} as it should be: its SHA-256 is {found}, not {right}. Remove it and try again.")
    return found


def fetch(image, progress=None, folder=None, url=None):
    """Path of the image in the cache, downloaded if it is not there; its hash is right. `progress(done, total)` in bytes.

    A file put into the cache by hand serves as well. Raises FirmwareError.
    """
    folder = Path(folder or cache_folder())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / image.file
    if not path.exists():
        part = path.with_suffix(path.suffix + ".part")
        _download(url or image.url, part, folder, progress or (lambda done, total: None))
        try:
            check(image, part, folder)
        except FirmwareError:
            part.unlink()
            raise
        part.replace(path)
    check(image, path, folder)
    return path


def _download(url, part, folder, progress):
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer, open(part, "wb") as file:
            total = int(answer.headers.get("Content-Length") or 0)
            while chunk := answer.read(_CHUNK):
                file.write(chunk)
                progress(file.tell(), total)
            if total and file.tell() != total:
                raise FirmwareError(f"The download of {url} broke off after {file.tell()} of {total} bytes. Try again.")
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        where = f"put the file {url.rpartition('/')[2]} into {folder} by hand"
        raise FirmwareError(f"{url} cannot be downloaded ({reason}). Are you offline? Then {where}.") from error


