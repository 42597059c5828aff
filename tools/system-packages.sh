#!/bin/sh
# Installs the programs that the tests and benchmarks compare with, where we may; else says which to install.
# `make demo` and the product itself need none of them.
#
#   program     Debian package   used for
#   tshark      tshark           packet counts and TCP streams by another reader
#   ndpiReader  libndpi-bin      the peer in the benchmarks
#   chromium    chromium         the report, looked at in a real browser
#   xz, zstd    xz-utils, zstd   compressed captures written by another program
#   monerod     monero           a real node for the block clocks, on a chain of its own
#   initdb      postgresql       a real server for the tests of the store of cases
#   pdftoppm    poppler-utils    documents turned into pictures, to be looked at
#   openssl     openssl          an authority for time-stamps, by other hands than ours
#   (fonts)     fonts-noto-cjk   documents in Chinese
set -eu

missing=""
need() {
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need tshark tshark
need ndpiReader libndpi-bin
command -v chromium-browser >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || need chromium chromium
need xz xz-utils
need zstd zstd
need monerod monero
# Debian keeps the server's programs off the path.
[ -n "$(find /usr/lib/postgresql -name initdb 2>/dev/null)" ] || need initdb postgresql
need pdftoppm poppler-utils
need openssl openssl
# A font is no program: it is looked for where Debian puts it, and by its language where fontconfig is there.
[ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ] || [ -n "$(fc-list :lang=zh-cn 2>/dev/null)" ] ||
    missing="$missing fonts-noto-cjk"

[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing$missing" >&2
    export DEBIAN_FRONTEND=noninteractive
    # A fresh image has no package lists; a machine in use usually has, so the slow step comes second.
    # shellcheck disable=SC2086
    apt-get install -y -q --no-install-recommends $missing >/dev/null 2>&1 || {
        apt-get update -q >/dev/null
        # shellcheck disable=SC2086
        apt-get install -y -q --no-install-recommends $missing >/dev/null
    }
    exit 0
fi

echo "These programs are missing:$missing" >&2
echo "Tests that need them are skipped (or fail, where CI is set). To install them on Debian or Ubuntu:" >&2
echo "    sudo apt-get install --no-install-recommends$missing" >&2
exit 3
