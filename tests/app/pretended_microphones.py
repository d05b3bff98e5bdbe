"""Microphones that say what a test lets them say."""

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QBuffer, QIODevice

from app.settings import Microphone
from app.sound.recorder import MicrophoneError, Microphones, SampleStream
from app.sound.tape import SampleForm


class PretendedMicrophones(Microphones):
    """Gives samples in the form of a device of any rate, type and number of channels."""

    def __init__(
        self, rate_hz: int = 48_000, num_channels: int = 1, sample_type: str = "float32", *, allows: bool | None = True
    ) -> None:
        super().__init__()
        self.rate_hz = rate_hz
        self._num_channels = num_channels
        self._sample_type = sample_type
        self._allows = allows
        self.names = ["Built-in", "Headset"]
        self.opened: list[str] = []
        self.is_open = False
        self.answer: Callable[[bool], None] | None = None
        self._device = QBuffer()

    def ask(self, answer: Callable[[bool], None]) -> None:
        if self._allows is None:  # the test answers
            self.answer = answer
        else:
            answer(self._allows)

    def choices(self) -> list[Microphone]:
        return [Microphone(name.lower(), name) for name in self.names]

    def open(self, chosen_id: str) -> SampleStream:
        if not self.names:
            raise MicrophoneError("No microphone was found. Connect one and try again.")
        self.opened.append(chosen_id)
        self.is_open = True
        self._device = QBuffer()
        self._device.open(QIODevice.OpenModeFlag.ReadWrite)
        return SampleStream(self._device, SampleForm(self.rate_hz, self._num_channels, self._sample_type))

    def close(self) -> None:
        self.is_open = False

    def say(self, samples: np.ndarray) -> None:
        """Let the device give samples [n] float32 on every channel."""
        frames = np.repeat(samples[:, None], self._num_channels, axis=1)
        if self._sample_type != "float32":
            limits = np.iinfo(self._sample_type)
            middle = 128 if limits.min == 0 else 0
            frames = frames * (limits.max - middle) + middle
        self.say_bytes(frames.astype(self._sample_type).tobytes())

    def say_bytes(self, data: bytes) -> None:
        """Let the device give bytes, wherever a frame ends."""
        position = self._device.pos()
        self._device.seek(self._device.size())
        self._device.write(data)
        self._device.seek(position)
