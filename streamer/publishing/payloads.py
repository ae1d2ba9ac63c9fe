"""Predictions and changes of activity as JSON payloads, and which are the same; times in Unix seconds. Pure."""

from __future__ import annotations

from math import isfinite

import msgspec

from model.activities import ACTIVITIES
from model.changes import ActivityChange
from model.stateful.transitions import PosturalTransition
from streamer.recognition.prediction import Prediction

_ENCODER = msgspec.json.Encoder()

LIKE = 1e-4
"""Seconds, and shares: what is worked off once more may differ by less, in the last decimals, and is the same."""

LONGEST = 1 << 13
"""Bytes of a payload that may be one of these."""


def state_payload(prediction: Prediction, since_s: float) -> bytes:
    """The latest prediction of a phone; ``since_s`` is when its answer began."""
    return _ENCODER.encode(
        {
            "phone": prediction.phone,
            "time": round(prediction.window.end_s, 6),
            "answer": prediction.answer,
            "activity": prediction.activity,
            "confidence": round(prediction.confidence, 6),
            "since": round(since_s, 6),
            "probabilities": dict(zip(ACTIVITIES, _rounded(prediction.probabilities.tolist()), strict=True)),
            "novelty": round(prediction.novelty, 3),
            "reasons": prediction.reasons,
        }
    )


def _rounded(shares: list[float]) -> list[float]:
    """To six decimals; a fifth of the cost of ``round(share, 6)``, which converts to decimals and back."""
    return [round(share * 1e6) / 1e6 if isfinite(share) else share for share in shares]


def event_payload(phone: str, change: ActivityChange) -> bytes:
    """A change of activity; ``duration`` [s] is how long ``from`` had lasted, ``event_type`` is Home Assistant's."""
    return _ENCODER.encode(
        {
            "event_type": change.after.lower(),
            "phone": phone,
            "from": change.before,
            "to": change.after,
            "time": round(change.time_s, 6),
            "duration": round(change.duration_s, 6),
        }
    )


def transition_payload(phone: str, transition: PosturalTransition) -> bytes:
    """A postural transition: its middle and how long it took [s]; ``event_type`` is Home Assistant's."""
    return _ENCODER.encode(
        {
            "event_type": transition.name.lower(),
            "phone": phone,
            "transition": transition.name,
            "time": round(transition.time_s, 6),
            "duration": round(transition.duration_s, 6),
            "confidence": round(transition.confidence, 6),
        }
    )


def percent(confidence: float) -> bytes:
    """A share as whole per cent."""
    return str(round(100 * confidence)).encode("ascii")


class _Told(msgspec.Struct):
    """What tells the messages of one topic apart."""

    phone: str
    time: float
    answer: str = ""
    event_type: str = ""
    confidence: float = 0.0


_DECODER = msgspec.json.Decoder(_Told)


def is_same(payload: bytes, heard: bytes) -> bool:
    """Whether what was heard, and may be anybody's, is this message of the listener's own, worked off once more."""
    if payload == heard:
        return True
    if len(heard) > LONGEST:
        return False
    try:
        one, other = _DECODER.decode(payload), _DECODER.decode(heard)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return (
        (one.phone, one.answer, one.event_type) == (other.phone, other.answer, other.event_type)
        and abs(one.time - other.time) < LIKE
        and abs(one.confidence - other.confidence) < LIKE
    )
