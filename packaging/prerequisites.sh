#!/bin/bash
# Installs the Debian packages that a build, with the word "bench" a benchmark, or with the word "deb"
# a build of the packages, needs and this machine lacks. Does nothing when everything is there.
set -euo pipefail

packages=(libsystemd-dev pkg-config gcc)
if [ "${1:-}" = bench ]; then
  packages+=(redis-server postgresql)
fi
if [ "${1:-}" = deb ]; then
  packages+=(build-essential debhelper help2man python3)
fi

missing=()
for package in "${packages[@]}"; do
  if [ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" != "install ok installed" ]; then
    missing+=("$package")
  fi
done
if [ "${#missing[@]}" -gt 0 ]; then
  as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  echo "installing: ${missing[*]}" >&2
  "${as_root[@]}" apt-get update -qq >&2
  # The benchmark starts its own servers on ports and folders of its own.
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >&2
fi
if ! command -v cargo >/dev/null 2>&1; then
  echo "a Rust toolchain is needed: rustc 1.95 or later with cargo" >&2
  exit 1
fi
