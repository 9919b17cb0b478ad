#!/bin/sh
# Builds launcher-x64 and launcher-arm64 from launcher.c, after a change of it: needs zig (pip install ziglang==0.17.1).
set -e
cd "$(dirname "$0")"
for pair in x64:x86_64 arm64:aarch64; do
  python3 -m ziglang cc -target "${pair#*:}-linux-none" -Os -std=c11 -Wall -Wextra -Werror -ffreestanding -fno-builtin \
    -fno-stack-protector -fno-sanitize=all -fomit-frame-pointer -fno-asynchronous-unwind-tables -nostdlib -static \
    -Wl,--build-id=none,-s,-z,norelro,--no-eh-frame-hdr -o "launcher-${pair%%:*}" launcher.c
done
