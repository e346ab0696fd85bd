"""A picture and a voice note for the simulated telephones, made here and not shipped: whoever looks
at the demo has no file at hand. Used by bots/simulator alone.

The picture says where it was taken, as a telephone's does, so that one can see that the helpline
takes it out. Nobody is in it, and nobody speaks.
"""

import io
import math
import wave
from functools import cache

RATE = 8000  # samples a second, as on a telephone line
TUNE = ((440, 0.25), (550, 0.25), (660, 0.4))  # hertz, seconds


@cache
def picture() -> bytes:
    """A JPEG of a house under the moon, 640 × 480, with a place and a camera in its EXIF."""
    from PIL import Image, ImageDraw  # late: only the demo draws

    image = Image.new("RGB", (640, 480), "#14202a")
    draw = ImageDraw.Draw(image)
    draw.ellipse((480, 60, 550, 130), fill="#ffd84d")
    draw.rectangle((0, 380, 640, 480), fill="#2c4a3a")
    draw.rectangle((210, 220, 430, 400), fill="#8fb0bb")
    draw.polygon(((190, 220), (320, 120), (450, 220)), fill="#b3261e")
    draw.rectangle((295, 310, 345, 400), fill="#33444e")
    draw.rectangle((235, 255, 280, 295), fill="#ffd84d")
    exif = Image.Exif()
    exif[0x010F] = "Demo telephone"
    place = exif.get_ifd(0x8825)
    place |= {1: "N", 2: (51.0, 44.0, 9.0), 3: "E", 4: (0.0, 28.0, 7.0)}
    written = io.BytesIO()
    image.save(written, "JPEG", quality=85, exif=exif)
    return written.getvalue()


@cache
def voice() -> bytes:
    """A WAV of three tones, a second long."""
    written = io.BytesIO()
    with wave.open(written, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(RATE)
        for hertz, seconds in TUNE:
            turn = 2 * math.pi * hertz / RATE
            frames = (128 + 60 * math.sin(turn * at) for at in range(int(RATE * seconds)))
            sound.writeframes(bytes(round(frame) for frame in frames))
    return written.getvalue()


SAMPLES = {"picture": ("house.jpg", picture), "voice": ("voice-note.wav", voice)}
