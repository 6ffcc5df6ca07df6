#!/bin/sh
# What cargo needs to build the workspace: installs the missing parts with apt, or says what is missing.
set -eu
. "$(dirname "$0")/common.sh"
. "$(dirname "$0")/apt.sh"

have cargo || die "cargo is missing: install Rust from https://rustup.rs and run this again."

packages=
need() {
    packages="$packages $*"
}

have cc || need gcc libc6-dev
have pkg-config || need pkg-config
# Runs for bindgen, which reads the headers of PostgreSQL.
have clang || need clang
[ -n "${LIBCLANG_PATH:-}" ] || ls /usr/lib/llvm-*/lib/libclang*.so* >/dev/null 2>&1 ||
    ldconfig -p 2>/dev/null | grep -q 'libclang[-.]' || need libclang-dev
# ext-migrate speaks TLS.
pkg-config --exists openssl 2>/dev/null || need libssl-dev

if [ -n "$packages" ]; then
    # shellcheck disable=SC2086
    apt_install $packages
fi
