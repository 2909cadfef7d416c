#!/bin/sh
# Builds the handlers in handlers/ and packs them into code/CodeKey.zip. Needs cargo with the target below and a linker
# for it, and zip or Python 3.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")"
target=${TARGET:-@TARGET@}

fail() {
    echo "build.sh: $*" >&2
    exit 1
}

command -v cargo >/dev/null || fail "cargo is missing: install Rust from https://rustup.rs"
command -v zip >/dev/null || command -v python3 >/dev/null ||
    fail "zip is missing: install it, or Python 3, which packs as well"
cargo build --locked --profile lambda --package chat-lambdas --bin chat --target "$target" --manifest-path handlers/Cargo.toml \
    --target-dir target ||
    fail "the handlers were not built; if only the target is missing, add it: rustup target add $target"
rm -rf target/zip
mkdir -p target/zip code
cp "target/$target/lambda/chat" target/zip/bootstrap
chmod 755 target/zip/bootstrap
# The same code makes the same zip, which `deploy.sh` puts under the same key.
touch -t 198001010000 target/zip/bootstrap
cd target/zip
if command -v zip >/dev/null; then
    zip -q -X code.zip bootstrap
else
    python3 -m zipfile -c code.zip bootstrap
fi
cd ../..
mv target/zip/code.zip code/CodeKey.zip
