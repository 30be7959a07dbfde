#!/bin/bash
# Rebuilds the WebAssembly programs of the examples from their C sources. Installs nothing.
# The same packages give the same bytes; the files in the repository come from Debian 12 (clang 14.0.6).
set -eu
cd "$(dirname "$0")"

packages="clang lld wasi-libc libclang-rt-14-dev-wasm32"
if ! command -v clang >/dev/null || ! command -v wasm-ld >/dev/null || [ ! -e /usr/include/wasm32-wasi/stdio.h ]; then
    echo "build.sh: no C compiler for WebAssembly here; on Debian: apt-get install $packages" >&2
    exit 2
fi

objects=$(mktemp -d)
trap 'rm -r "$objects"' EXIT

# Compiled and linked in two steps: with -O on its link line clang runs wasm-opt where it happens to be installed.
build() { # SOURCE TARGET
    clang --target=wasm32-wasi -std=c17 -O2 -ffp-contract=off -Wall -Wextra -Werror -c "$1" -o "$objects/module.o"
    clang --target=wasm32-wasi -s "$objects/module.o" -lm -o "$objects/module.wasm"
    install -m 644 "$objects/module.wasm" "$2"
    echo "$2: $(stat -c %s "$2") bytes"
}

build options/options.c options/options.wasm
build queens/queens.c queens/queens.wasm
build figure7/job.c figure7/job.exe
build noop/noop.c noop/noop.wasm
build workflow/words.c workflow/words.wasm
for source in faults/*.c; do
    build "$source" "${source%.c}.wasm"
done
for source in ../benches/exec/*.c; do
    build "$source" "${source%.c}.wasm"
done
