#!/bin/sh
# System libraries on Debian and Ubuntu: Qt's, and OpenBLAS, which multiplies ten times as fast as what MLX brings.
# Installs them when we may, else prints the one line to run.
# Usage: linux-libraries.sh PYTHON   (does nothing on a Mac, or when all of them load)
set -u
python=$1
packages="libegl1 libgl1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 \
libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libdbus-1-3 libfontconfig1 libglib2.0-0 libpulse0 \
fonts-dejavu-core libopenblas0-pthread"

[ "$(uname -s)" = Linux ] || exit 0

qt_loads() {  # what the window and the recorder link to, and what the platform plugin opens later
    "$python" - 2>/dev/null <<'PY'
import ctypes, pathlib, PySide6
from PySide6 import QtMultimedia, QtWidgets
ctypes.CDLL(str(pathlib.Path(PySide6.__file__).parent / "Qt/plugins/platforms/libqxcb.so"))
PY
}

openblas_loads() {
    "$python" -c 'import ctypes; ctypes.CDLL("libopenblas.so.0")' 2>/dev/null
}

qt_loads && openblas_loads && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
elif command -v apt-get >/dev/null && sudo -n true 2>/dev/null; then
    sudo apt-get update -qq && sudo apt-get install -y -qq --no-install-recommends $packages >/dev/null
fi
install="  sudo apt-get update && sudo apt-get install -y $packages"
if ! qt_loads; then
    echo "The window needs some system libraries. Install them with this line, then run the command again:" >&2
    echo "$install" >&2
    exit 1
fi
openblas_loads && exit 0
echo "Everything works, but without OpenBLAS the model computes at a tenth of its speed. To install it:" >&2
echo "$install" >&2
