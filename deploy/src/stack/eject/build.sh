#!/bin/sh
# Builds the handlers in handlers/ and packs them into code/CodeKey.zip. Needs cargo with the target below, and zip.
set -eu
cd "$(dirname "$0")"
target=${TARGET:-@TARGET@}
cargo build --locked --profile lambda --package chat-lambdas --bin chat --target "$target" --manifest-path handlers/Cargo.toml \
    --target-dir target
rm -rf target/zip
mkdir -p target/zip
cp "target/$target/lambda/chat" target/zip/bootstrap
chmod 755 target/zip/bootstrap
(cd target/zip && zip -q -X code.zip bootstrap)
mv target/zip/code.zip code/CodeKey.zip
