"""How each phone is worn: named by its owner, or calibrated and remembered; and a warning where it is neither."""
