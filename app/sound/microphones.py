"""The system's microphones, through QtMultimedia: opened at the format they prefer, because Macs refuse others."""

from collections.abc import Callable

from PySide6.QtCore import QByteArray, QCoreApplication, QMicrophonePermission, Qt
from PySide6.QtMultimedia import QAudioDevice, QAudioFormat, QAudioSource, QMediaDevices, QtAudio

from app.settings import Microphone
from app.sound.recorder import MicrophoneError, Microphones, SampleStream
from app.sound.tape import SampleForm

__all__ = ["SystemMicrophones"]

_BUFFER_US = 4_000_000
"""What the system keeps for a window that is busy for a moment, in microseconds."""

_TYPES = {
    QAudioFormat.SampleFormat.UInt8: "uint8",
    QAudioFormat.SampleFormat.Int16: "int16",
    QAudioFormat.SampleFormat.Int32: "int32",
    QAudioFormat.SampleFormat.Float: "float32",
}


class SystemMicrophones(Microphones):
    """Microphones come and go while the app runs."""

    def __init__(self) -> None:
        super().__init__()
        self._watch = QMediaDevices(self)
        self._watch.audioInputsChanged.connect(self._look_for_the_open_one)
        self._source: QAudioSource | None = None
        self._id = QByteArray()

    def ask(self, answer: Callable[[bool], None]) -> None:
        """Ask for permission; the system asks the person the first time."""
        application, permission = QCoreApplication.instance(), QMicrophonePermission()
        assert application is not None
        granted = Qt.PermissionStatus.Granted
        if application.checkPermission(permission) == Qt.PermissionStatus.Undetermined:
            application.requestPermission(
                permission, self, lambda *_: answer(application.checkPermission(permission) == granted)
            )
        else:
            answer(application.checkPermission(permission) == granted)

    def choices(self) -> list[Microphone]:
        """Those that are there now, the system's own choice first."""
        return [Microphone(_id(device), device.description()) for device in _inputs()]

    def open(self, chosen_id: str) -> SampleStream:
        """Begin to record; raises MicrophoneError."""
        inputs = _inputs()
        if not inputs:
            raise MicrophoneError("No microphone was found. Connect one and try again.")
        device = next((device for device in inputs if _id(device) == chosen_id), inputs[0])
        form = device.preferredFormat()
        if form.sampleFormat() not in _TYPES:
            raise MicrophoneError(f"“{device.description()}” gives sound that cannot be read. Choose another.")
        self._source, self._id = QAudioSource(device, form, self), device.id()
        self._source.setBufferSize(form.bytesForDuration(_BUFFER_US))
        stream = self._source.start()
        if self._source.error() != QtAudio.Error.NoError:
            self.close()
            raise MicrophoneError(f"“{device.description()}” cannot be opened. Is another program using it?")
        self._source.stateChanged.connect(self._follow)
        return SampleStream(stream, SampleForm(form.sampleRate(), form.channelCount(), _TYPES[form.sampleFormat()]))

    def close(self) -> None:
        """End what `open` began."""
        source, self._source = self._source, None
        if source is not None:
            source.stop()
            source.deleteLater()

    def _look_for_the_open_one(self) -> None:
        if self._source is not None and all(device.id() != self._id for device in _inputs()):
            self.lost.emit()

    def _follow(self) -> None:
        """Without the signal's own argument, which PySide 6.11 cannot convert."""
        if self._source is not None and self._source.state() == QtAudio.State.StoppedState:
            self.lost.emit()


def _inputs() -> list[QAudioDevice]:
    return sorted(QMediaDevices.audioInputs(), key=lambda device: not device.isDefault())


def _id(device: QAudioDevice) -> str:
    return bytes(device.id().data()).hex()
