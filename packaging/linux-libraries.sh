#!/bin/sh
# Qt's system libraries on Debian and Ubuntu: install them when we may, else print the one line to run.
# Usage: linux-libraries.sh PYTHON   (does nothing on a Mac, or when Qt already loads)
set -u
python=$1
packages="libegl1 libgl1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 \
libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libdbus-1-3 libfontconfig1 libglib2.0-0 libpulse0 \
fonts-dejavu-core"

[ "$(uname -s)" = Linux ] || exit 0

loads() {  # what the window and the recorder link to, and what the platform plugin opens later
    "$python" - 2>/dev/null <<'PY'
import ctypes, pathlib, PySide6
from PySide6 import QtMultimedia, QtWidgets
ctypes.CDLL(str(pathlib.Path(PySide6.__file__).parent / "Qt/plugins/platforms/libqxcb.so"))
PY
}

loads && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
elif command -v apt-get >/dev/null && sudo -n true 2>/dev/null; then
    sudo apt-get update -qq && sudo apt-get install -y -qq --no-install-recommends $packages >/dev/null
fi
loads && exit 0
echo "The window needs some system libraries. Install them with this line, then run the command again:" >&2
echo "  sudo apt-get update && sudo apt-get install -y $packages" >&2
exit 1
