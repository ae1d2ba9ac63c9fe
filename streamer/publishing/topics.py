"""The topics that the listener publishes on, all below one root; and how to tell them from phones' topics. Pure.

=========================================  ========  ===============================================
``<root>/<phone>/activity``                retained  the latest prediction, JSON
``<root>/<phone>/activity/state``          retained  its answer alone, when it changes
``<root>/<phone>/activity/confidence``     retained  its confidence alone, whole per cent, when it changes
``<root>/<phone>/event``                   no        a change of activity, JSON
``<root>/<phone>/transition``              no        a postural transition, JSON; of a stream model
``<root>/<phone>/availability``            retained  ``online``, or ``offline`` when silent for too long
``<root>/bridge/status``                   retained  ``online``, or ``offline`` by the last will
``<root>/bridge/<worker>/status``          retained  the same of one of several listeners
``<root>/bridge/echo``                     no        what a listener says to itself, to hear what came before it
``<prefix>/device/<object_id>/config``     retained  Home Assistant's device discovery
=========================================  ========  ===============================================

No phone's topic is among them, not even of a phone called ``bridge``: phones publish on ``<root>/<phone>/imu`` and
``<root>/<phone>/label``.
"""

from __future__ import annotations

import re
from functools import cached_property

from model.errors import HarError
from streamer.wire import ACTIVITY, AVAILABILITY, EVENT, ROOT, TRANSITION, topic

PREFIX = "homeassistant"
"""Home Assistant's default discovery prefix."""

STATE, CONFIDENCE = "state", "confidence"
"""Levels below ``activity``."""

ONLINE, OFFLINE = b"online", b"offline"
"""Payloads of availability and status; Home Assistant's defaults."""

_LEVELS = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
_PLAIN_ROOT, _PLAIN_PHONE = re.compile(r"[A-Za-z0-9-]+"), re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {"_": "__", ".": "_-", "/": "_1"}


class Topics:
    """The names of the listener's own topics.

    Parameters
    ----------
    root : first level (or levels) of phones' and the listener's topics.
    prefix : Home Assistant's discovery prefix.
    worker : names this one of several listeners of the root; None: there is one.

    Raises
    ------
    HarError : one of them cannot be the beginning of a topic's name, or they are the same.
    """

    def __init__(self, root: str = ROOT, prefix: str = PREFIX, worker: str | None = None) -> None:
        self.root = check_levels("--root", root)
        self.prefix = check_levels("--home-assistant-prefix", prefix)
        self._worker = "" if worker is None else f"/{check_levels('--partition', worker)}"
        if root == prefix:
            raise HarError(f"--root and --home-assistant-prefix are both {root!r}; give two different ones.")

    @property
    def status(self) -> str:
        """Of the listener itself."""
        return f"{self.root}/bridge{self._worker}/status"

    @property
    def echo(self) -> str:
        """What the listener says to itself."""
        return f"{self.root}/bridge{self._worker}/echo"

    @property
    def events(self) -> tuple[str, ...]:
        """Topic filters of what is told of phones and not retained."""
        return f"{self.root}/+/{EVENT}", f"{self.root}/+/{TRANSITION}"

    @property
    def home_assistant_status(self) -> str:
        """Where Home Assistant says that it has started."""
        return f"{self.prefix}/status"

    @property
    def any_availability(self) -> str:
        """Topic filter of every phone's availability."""
        return f"{self.root}/+/{AVAILABILITY}"

    def activity(self, phone: str, part: str | None = None) -> str:
        """Of a phone's latest prediction, or of a part of it.

        Raises
        ------
        WireError : the phone's name is none; so do the following.
        """
        whole = topic(self.root, phone, ACTIVITY)
        return f"{whole}/{part}" if part else whole

    def event(self, phone: str) -> str:
        """Of a phone's changes of activity."""
        return topic(self.root, phone, EVENT)

    def transition(self, phone: str) -> str:
        """Of a phone's postural transitions."""
        return topic(self.root, phone, TRANSITION)

    def availability(self, phone: str) -> str:
        """Of whether a phone sends anything."""
        return topic(self.root, phone, AVAILABILITY)

    def discovery(self, phone: str) -> str:
        """Of a phone's description for Home Assistant."""
        topic(self.root, phone, ACTIVITY)  # refuses a name that is none
        return f"{self.prefix}/device/{self.object_id(phone)}/config"

    def object_id(self, phone: str) -> str:
        """An id of the phone that no other phone of any root has, of the characters that Home Assistant allows there.

        ``har_s02-e03`` in general; where the root has other than letters, digits and ``-``, or the phone a ``.``, all
        special characters are escaped, and a ``_`` leads: no other id begins with it.
        """
        if _PLAIN_ROOT.fullmatch(self.root) and _PLAIN_PHONE.fullmatch(phone):
            return f"{self.root}_{phone}"
        return "_" + "".join(_ESCAPES.get(character, character) for character in f"{self.root}/{phone}")

    def retained(self, phone: str) -> tuple[str, ...]:
        """Every topic that keeps something about a phone at the broker."""
        parts = (self.activity(phone, part) for part in (None, STATE, CONFIDENCE))
        return (self.discovery(phone), self.availability(phone), *parts)

    def is_own(self, name: str) -> bool:
        """Whether the listener itself publishes on this topic, or Home Assistant on its status."""
        return self._own.fullmatch(name) is not None

    @cached_property
    def _own(self) -> re.Pattern[str]:
        phone = rf"[^/]+/({EVENT}|{TRANSITION}|{AVAILABILITY}|{ACTIVITY}(/({STATE}|{CONFIDENCE}))?)"
        return re.compile(
            rf"{re.escape(self.root)}/({phone}|bridge(/[^/]+)?/(status|echo))|{re.escape(self.prefix)}/(status|device/.*)"
        )


def check_levels(flag: str, levels: str) -> str:
    """The beginning of topics as it is given by a flag.

    Raises
    ------
    HarError : it has other than letters, digits, ``_``, ``.``, ``-``, and ``/`` between levels.
    """
    if not _LEVELS.fullmatch(levels):
        raise HarError(f"The topic level {levels!r} of {flag} is not made of letters, digits, '_', '.' and '-'.")
    return levels
