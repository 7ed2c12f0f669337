"""What the short names on the wire mean, one row per name, in sentences for people."""

import re

REASONS = {
    "cbor": "the document is not valid CBOR",
    "mqtt": "the packet is not valid MQTT",
    "topic": "the message came on a topic that is not of this protocol",
    "mac": "the message was not made with this board's key",
    "stale-seq": "the order is older than one the board has already seen",
    "seq-jump": "the order's number jumps too far ahead",
    "wrong-device": "the order is for another board or group",
    "not-manifest": "the document is not a module's manifest",
    "unknown-key": "the module is signed by a key that this fleet does not know",
    "revoked-key": "the module is signed by a key that was revoked",
    "bad-signature": "the signature does not match the manifest",
    "key-scope": "the signing key may not sign for this group or these capabilities",
    "keys-rollback": "the list of keys is older than the one the board has",
    "bad-root": "the list of keys is not signed by the fleet's root key",
    "expired": "the module's manifest has expired",
    "floor": "the version is below the lowest that the board accepts",
    "abi": "the module needs another version of the engine",
    "too-large": "the module is larger than the board takes",
    "no-space": "the board has not enough flash for the module",
    "no-memory": "the board has not enough memory for the module",
    "capability": "the module asks for something that the board was not granted",
    "digest": "the bytes that arrived are not the ones that were signed (SHA-256 differs)",
    "malformed": "the file is not a WebAssembly module",
    "invalid": "the module is not valid, or needs a feature the engine lacks",
    "unlinkable": "the module imports something that the board does not have",
    "trap": "the module stopped with a trap",
    "exhausted": "the module used up its budget of memory, stack or processor time",
    "exit": "the module ended by itself",
    "timeout": "the board did not finish in time",
    "other-boot": "the command was for before the board's last start",
    "unknown-command": "the board's agent does not know this command",
    "busy": "an update is under way: try again when it has ended",
    "nothing": "there is nothing to do it with",
    "internal": "the agent failed in a way that nobody foresaw",
}

STEPS = {
    "queued": "waiting for its turn",
    "sent": "order sent",
    "idle": "order seen",
    "check": "checking the order",
    "manifest": "fetching the manifest",
    "verify": "verifying the signature",
    "preflight": "checking space and capabilities",
    "downloading": "downloading",
    "verify-file": "hashing the file",
    "staged": "ready to start",
    "trial": "on trial",
    "retrying": "failed, will try again",
    "failed": "stopped",
    "confirmed": "sha256 verified, running",
    "rolled-back": "rolled back",
    "refused": "refused",
    "superseded": "replaced by a newer push",
    "cancelled": "not begun, the rollout was ended",
    "timeout": "not finished in time",
    "restarting": "restarting",
    "offline": "offline, takes it when it comes back",
}

# Why a rollout is paused.
PAUSES = {
    "user": "somebody paused it",
    "failures": "more boards failed than its limit allows",
    "success": "too few boards of the wave confirmed",
    "wave-timeout": "the wave took too long",
}

SIGNATURE_REASONS = frozenset(["unknown-key", "revoked-key", "bad-signature", "key-scope", "keys-rollback", "bad-root"])


_CODE = re.compile(r"^code (\d+)")


def explain(reason, detail=None):
    """The sentence for a `reason` of the wire; an unknown one is shown as it is; `detail` follows in brackets."""
    sentence = REASONS.get(reason, reason or "no reason given")
    return f"{sentence} ({_CODE.sub(_error_words, detail)})" if detail else sentence


def _error_words(match):
    """The sentence for an error code of the engine: boards send codes only."""
    from mpwasm.explain import SENTENCES

    return SENTENCES.get(int(match[1]), match[0])


def step(state):
    """The words for a `state` of a board in a rollout."""
    return STEPS.get(state, state)
