#!/bin/sh
# Installs MLX's Metal half for the oldest macOS that we promise: pip takes the newest that the building Mac can run,
# and an app made with that one ends at once on macOS 14 and 15.
# Usage: metal-wheel.sh PYTHON [PLATFORM]   (macosx_14_0_arm64; macosx_26_0_arm64 has the M5's kernels, needs macOS 26.2)
set -eu
python=$1
platform=${2:-macosx_14_0_arm64}
[ "$(uname -s)" = Darwin ] || exit 0
version=$("$python" -c 'from importlib.metadata import version; print(version("mlx-metal"))')
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$python" -m pip download --quiet --no-deps --only-binary=:all: --platform "$platform" --dest "$folder" "mlx-metal==$version"
"$python" -m pip install --quiet --no-deps --force-reinstall "$folder"/mlx_metal-*.whl
