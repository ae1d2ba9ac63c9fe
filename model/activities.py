"""The activities, in the data set's order.

Source: ``activity_labels.txt`` of UCI HAR v1.0 (1 to 6) and of HAPT (1 to 12).
"""

ACTIVITIES: tuple[str, ...] = (
    "WALKING",
    "WALKING_UPSTAIRS",
    "WALKING_DOWNSTAIRS",
    "SITTING",
    "STANDING",
    "LAYING",
)
"""The six activities that are recognised; the data set's id is the index plus one."""

POSTURAL_TRANSITIONS: tuple[str, ...] = (
    "STAND_TO_SIT",
    "SIT_TO_STAND",
    "SIT_TO_LIE",
    "LIE_TO_SIT",
    "STAND_TO_LIE",
    "LIE_TO_STAND",
)
"""HAPT's postural transitions, ids 7 to 12."""

TRANSITION = "TRANSITION"
"""Any of the postural transitions: a class of some networks, and an answer."""

ALL_LABELS: tuple[str, ...] = ACTIVITIES + POSTURAL_TRANSITIONS
"""Everything that a segment of a recording can be labelled with."""

TEST_SUBJECTS: tuple[int, ...] = (2, 4, 9, 10, 12, 13, 18, 20, 24)
"""UCI HAR v1.0's test subjects (``test/subject_test.txt``)."""

TRAIN_SUBJECTS: tuple[int, ...] = tuple(s for s in range(1, 31) if s not in TEST_SUBJECTS)
"""UCI HAR v1.0's training subjects (``train/subject_train.txt``)."""
