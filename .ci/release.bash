#!/usr/bin/env bash
# Builds the programs for people without Rust and packs each into an archive with its
# checksum, named as the packages' metadata for `cargo binstall` says.
#
#   .ci/release.bash TARGET       such as x86_64-unknown-linux-gnu
#
# The archives are written to target/release-archives.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=${1:?name a target, such as x86_64-unknown-linux-gnu}
built="${CARGO_TARGET_DIR:-target}/$target/release"
archives="${CARGO_TARGET_DIR:-target}/release-archives"
programs=(dev upstash-local)

cargo build --release --locked --target "$target" "${programs[@]/#/--package=}"
mkdir -p "$archives"
for program in "${programs[@]}"; do
    archive="$program-$target.tar.gz"
    # gzip stores no time, so only the binary decides what the archive contains.
    tar --create --file - --directory "$built" "$program" | gzip --no-name -9 > "$archives/$archive"
    (
        cd "$archives"
        if command -v sha256sum > /dev/null; then
            sha256sum "$archive"
        else
            # macOS
            shasum --algorithm 256 "$archive"
        fi > "$archive.sha256"
    )
    echo "$archives/$archive"
done
