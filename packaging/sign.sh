#!/bin/sh
# Signs Cabochon.app from the inside out: every library, then the frameworks, then the app with its entitlements.
# Usage: sign.sh APP [IDENTITY]   ("Developer ID Application: …" of your keychain; ad hoc without one)
set -eu
app=$1
identity=${2:--}
here=$(dirname "$0")
python=${PYTHON:-python3}

sign() {
    if [ "$identity" = - ]; then
        codesign --force --sign - "$@"
    else
        codesign --force --sign "$identity" --options runtime --timestamp "$@"
    fi
}

PYTHONPATH="$here" "$python" -m bundling.macho "$app/Contents" | while IFS= read -r library; do
    sign "$library"
done
find "$app/Contents" -type d -name '*.framework' | while IFS= read -r framework; do
    sign "$framework"
done
sign --entitlements "$here/entitlements.plist" "$app"
codesign --verify --deep --strict --verbose=2 "$app"
