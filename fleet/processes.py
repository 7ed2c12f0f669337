"""Processes that are ours to end."""

import subprocess


def end(process, seconds):
    """Ask a `subprocess.Popen` to end; after `seconds` it is not asked any more."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
