#!/bin/bash
# Installs the Debian packages that a build, with the word "test" the tests, with "bench" a benchmark,
# with "deb" a build of the packages, with "test-vm" their trial, with "browser" a walk through the
# pages, or with "api" a trial of the API, needs and this machine lacks. Does nothing when everything
# is there.
set -euo pipefail

checkout=$(cd "$(dirname "$0")/.." && pwd)
tools=$checkout/var/tools

# Installs those of the named packages that are missing; its status is apt's.
install_missing() {
  local missing=() package
  for package in "$@"; do
    if [ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" != "install ok installed" ]; then
      missing+=("$package")
    fi
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  echo "installing: ${missing[*]}" >&2
  "${as_root[@]}" apt-get update -qq >&2 &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

install_missing libsystemd-dev pkg-config gcc
if [ "${1:-}" = test ]; then
  # Tests of FreePBX's call tables start a server of their own, and pass over themselves without.
  install_missing mariadb-server ||
    echo "could not install it: the tests go on without the call tables" >&2
  # Recordings are converted by the real one, and those tests pass over themselves without.
  install_missing ffmpeg ||
    echo "could not install it: the tests go on without conversions" >&2
  # Alert rules are tried by promtool; the package itself would start a server.
  if ! command -v promtool >/dev/null && [ ! -x "$tools/promtool" ]; then
    mkdir -p "$tools"
    (cd "$tools" && apt-get download -qq prometheus >&2 &&
      dpkg-deb --fsys-tarfile prometheus_*.deb | tar -xf - --strip-components=3 ./usr/bin/promtool &&
      rm prometheus_*.deb) || echo "could not fetch promtool: the tests go on without" >&2
  fi
fi
if [ "${1:-}" = bench ]; then
  # The benchmark starts its own servers on ports and folders of its own, and says in its table
  # which of them it had to do without.
  install_missing redis-server postgresql nginx-light wrk ||
    echo "could not install them: the benchmark goes on without what is missing" >&2
fi
if [ "${1:-}" = deb ]; then
  install_missing build-essential debhelper help2man lintian python3
fi
if [ "${1:-}" = test-vm ]; then
  # Where something of it cannot be had the run says so and is skipped.
  install_missing apt-utils curl e2fsprogs gnupg iproute2 mmdebstrap python3 systemd-container || true
  if ! command -v qemu-system-x86_64 >/dev/null && ! install_missing qemu-system-x86; then
    echo "could not install qemu: what needs a whole machine is skipped." >&2
    # Its other tools are not needed, but where they are of a newer version than the release's, no qemu
    # of the release can be installed beside them. Whether they may be replaced, a person says.
    if [ "$(dpkg-query -W -f '${Status}' qemu-utils 2>/dev/null)" = "install ok installed" ]; then
      echo "qemu-utils $(dpkg-query -W -f '${Version}' qemu-utils) may be in its way; if so:" >&2
      echo "  apt-get install --allow-downgrades qemu-system-x86 qemu-utils/$(
        . /etc/os-release && echo "${VERSION_CODENAME:-stable}")" >&2
    fi
  fi
fi
if [ "${1:-}" = browser ]; then
  # The walk says what it had to do without, and passes over itself then.
  install_missing chromium chromium-driver python3-selenium ||
    echo "could not install a browser: its test passes over itself" >&2
  command -v npm >/dev/null 2>&1 || install_missing npm ||
    echo "could not install npm: the pages are not looked at by axe-core" >&2
  # The checker of accessibility, for the test only.
  if ! [ -e var/browser/axe.min.js ]; then
    mkdir -p var/browser
    (cd var/browser && npm pack --silent axe-core@4.10.3 >/dev/null &&
      tar -xzf axe-core-4.10.3.tgz --strip-components=1 package/axe.min.js) ||
      echo "could not fetch axe-core: the test of the pages passes over itself" >&2
  fi
fi
if [ "${1:-}" = api ]; then
  # The trial says where it had to do without, and passes over itself then. Pinned, in a folder of its
  # own: nothing of it is the machine's.
  wanted=$checkout/tests/api/requirements.txt
  if ! cmp -s "$wanted" "$tools/schemathesis/requirements.txt"; then
    python3 -c 'import ensurepip, venv' 2>/dev/null || install_missing python3 python3-venv || true
    mkdir -p "$tools"
    (python3 -m venv --clear "$tools/schemathesis" &&
      "$tools/schemathesis/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 20 \
        --requirement "$wanted" &&
      cp "$wanted" "$tools/schemathesis/requirements.txt") >&2 || {
      rm -rf "$tools/schemathesis"
      echo "could not install schemathesis: the trial of the API passes over itself" >&2
    }
  fi
fi
if ! command -v cargo >/dev/null 2>&1; then
  echo "a Rust toolchain is needed: rustc 1.95 or later with cargo" >&2
  exit 1
fi
