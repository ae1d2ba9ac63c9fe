"""The classes whose objects are kept across restarts. One that is missing here is told by the first checkpoint, and by
the tests."""

from __future__ import annotations

from importlib.metadata import version

from model.changes import ChangeDetector, ChangeSettings, _Answer
from model.decision import DecisionSettings
from model.resampling import Resampler
from model.signals import SignalChain, Stage, Start
from model.smoothing import ActivityFilter, FilterSettings, _Prior, _Step
from model.windows import WindowSlicer
from streamer import counts, phone_stream, tally
from streamer.formats.names import Format
from streamer.intake import (
    buffer,
    chunks,
    clock,
    conventions,
    fusion,
    grid,
    intake,
    ordering,
    report,
    stats,
    telling,
    track,
)
from streamer.labels import Labels, now_s
from streamer.mount.watch import MountWatch
from streamer.phone_memory.rate import RateMeter
from streamer.phone_memory.time_line import TimeLine
from streamer.phone_memory.traces import Traces
from streamer.publishing.outbox import Outgoing
from streamer.publishing.publisher import _Phone as PublishedPhone
from streamer.readings import ClockKind, GridSamples, PhoneMessage, Readings, Sensor, Sign, Unit
from streamer.recognition.activity_tracker import ActivityTracker, ClassifiedWindow
from streamer.recognition.stream_engine import _Phone as FollowedPhone
from streamer.recognition.stream_states import StreamStates
from streamer.state.codec import Kind, outline, register_of
from streamer.wire import Label

REGISTER = register_of(
    # The signal chain and windows
    Kind(
        phone_stream.PhoneStream,
        {},
        arrivals=("_arrived_s",),
        offsets=("_unix_offset_s",),
    ),
    phone_stream.Cut,
    Kind(phone_stream.ReadyWindow, {}, arrivals=("arrived_s",)),
    SignalChain,
    Stage,
    Start,
    WindowSlicer,
    Resampler,
    Kind(Labels, {"_clock": lambda: now_s}),
    Label,
    # The intake; its arrivals are in Unix time
    intake.Intake,
    intake.Counts,
    intake._Path,
    conventions.Conventions,
    conventions._Span,
    clock.PhoneClock,
    ordering.Ordering,
    ordering._Came,
    ordering.Turn,
    grid.GridPath,
    fusion.Fusion,
    buffer.SensorBuffer,
    track.Track,
    stats.SensorStats,
    telling.Telling,
    chunks.Piece,
    chunks.Chunk,
    report.Finding,
    Format,
    ClockKind,
    GridSamples,
    PhoneMessage,
    Readings,
    Sensor,
    Sign,
    Unit,
    # Recognition
    ActivityTracker,
    ClassifiedWindow,
    ActivityFilter,
    FilterSettings,
    _Prior,
    _Step,
    DecisionSettings,
    ChangeDetector,
    ChangeSettings,
    _Answer,
    MountWatch,
    StreamStates,
    FollowedPhone,
    # The account: signals of the last seconds and rates are for the eye, and soon there again
    Kind(
        tally.PhoneTally,
        {"traces": Traces, "rate": RateMeter, "notices": float, "noticed_s": float},
        arrivals=("last_arrival_s",),
    ),
    counts.Counts,
    tally.LogEntry,
    TimeLine,
    # Publishing
    PublishedPhone,
    Outgoing,
)

KEPT_BY = f"{version('har-stream')} {outline(REGISTER)}"
"""Names what can be made again by this program."""
