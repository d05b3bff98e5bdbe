#!/bin/sh
# Puts Cabochon.app into a disk image, beside a link to the applications folder.
# Usage: image.sh APP DMG [IDENTITY]
set -eu
app=$1
image=$2
identity=${3:-}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ditto "$app" "$folder/$(basename "$app")"
ln -s /Applications "$folder/Applications"
rm -f "$image"
hdiutil create -volname Cabochon -srcfolder "$folder" -fs HFS+ -format UDZO "$image"
if [ -n "$identity" ]; then
    codesign --force --sign "$identity" --timestamp "$image"
fi
