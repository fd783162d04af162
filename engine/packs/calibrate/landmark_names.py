"""Groups of the 468 landmarks, by number (MediaPipe's face mesh; right is the subject's right)."""

LIPS_UPPER_INNER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LIPS_LOWER_INNER = (95, 88, 178, 87, 14, 317, 402, 318, 324)
# Outer corner first.
LID_RIGHT_UPPER = (33, 246, 161, 160, 159, 158, 157, 173, 133)
LID_RIGHT_LOWER = (7, 163, 144, 145, 153, 154, 155)
LID_LEFT_UPPER = (263, 466, 388, 387, 386, 385, 384, 398, 362)
LID_LEFT_LOWER = (249, 390, 373, 374, 380, 381, 382)
BROW_RIGHT = (70, 63, 105, 66, 107, 46, 53, 52, 65, 55)
BROW_LEFT = (300, 293, 334, 296, 336, 276, 283, 282, 295, 285)
OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377) + (
    (152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)
)
"""Silhouette of the face, clockwise from the top of the forehead as seen."""
