#!/bin/bash
# Builds Lua as a WebAssembly module for tests/differential/real.rs: lua.sh DIRECTORY-OF-LUA'S-SOURCES TARGET.
# The sources: lua-5.4.* of the crate lua-src, or lua-5.4.*/src of `apt-get source lua5.4`. An error of a script ends the module, since wasi-libc has no longjmp.
set -eu
[ $# = 2 ] || { echo "usage: lua.sh DIRECTORY-OF-LUAS-SOURCES lua.wasm" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
: > "$work/setjmp.h"
cat > "$work/main.c" <<'END'
#include <stdio.h>
#include "lua.h"
#include "lauxlib.h"
#include "lualib.h"

static char script[1 << 16];

int main(void) {
    size_t length = fread(script, 1, sizeof script, stdin);
    lua_State *state = luaL_newstate();
    luaL_requiref(state, "_G", luaopen_base, 1);
    luaL_requiref(state, "string", luaopen_string, 1);
    luaL_requiref(state, "table", luaopen_table, 1);
    luaL_requiref(state, "math", luaopen_math, 1);
    luaL_requiref(state, "coroutine", luaopen_coroutine, 1);
    if (luaL_loadbuffer(state, script, length, "script") != LUA_OK) { puts(lua_tostring(state, -1)); return 2; }
    lua_call(state, 0, 0);
    return 0;
}
END
files=()
for name in lapi lcode lctype ldebug ldo ldump lfunc lgc llex lmem lobject lopcodes lparser lstate lstring ltable ltm \
    lundump lvm lzio lauxlib lbaselib lstrlib ltablib lmathlib lcorolib; do
    files+=("$1/$name.c")
done
clang --target=wasm32-wasi -O2 -w -I"$work" -I"$1" -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_PROCESS_CLOCKS \
    '-DLUAI_THROW(L,c)=__builtin_trap()' '-DLUAI_TRY(L,c,a)={a}' -Dluai_jmpbuf=int "${files[@]}" "$work/main.c" \
    -lm -lwasi-emulated-signal -lwasi-emulated-process-clocks -o "$2"
