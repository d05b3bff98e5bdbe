#!/bin/sh
# Has Apple look at a signed app or disk image, and fastens the answer to it.
# Usage: notarise.sh APP-OR-DMG PROFILE
# PROFILE is what `xcrun notarytool store-credentials PROFILE` put into your keychain.
set -eu
thing=$1
profile=$2
sent=$thing
case $thing in
*.app)
    sent=${thing%.app}.zip
    ditto -c -k --keepParent "$thing" "$sent"  # zip would lose the links, and the signature with them
    ;;
esac
xcrun notarytool submit "$sent" --keychain-profile "$profile" --wait
xcrun stapler staple "$thing"
xcrun stapler validate "$thing"
