#!/usr/bin/env bash
# Tries the last commit on a minimal Debian that has git, make and python3 alone. Needs root.
#
#   tests/minimal/try.sh [target ...]     make targets to run there after setup, such as demo or test
#
# First as a user without rights, who must be told what is missing; then as root, but the demo as that user. The machine's own package sources,
# pip settings and certificates are used inside, so that it works behind a mirror.
set -euo pipefail

suite=bookworm
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
place=$(mktemp -d "${TMPDIR:-/tmp}/certops-minimal.XXXXXX")
base=$root/build/minimal-$suite.tar
trap 'rm -rf --one-file-system "$place"' EXIT

[ "$(id -u)" = 0 ] || { echo "try-minimal: needs root" >&2; exit 1; }

if [ ! -e "$base" ]; then
    echo "== making a minimal Debian ($suite)"
    mmdebstrap --quiet --mode=root --variant=minbase --include=ca-certificates,git,make,python3 "$suite" "$base.new.tar"
    mv "$base.new.tar" "$base"
fi
mkdir "$place/rootfs"
tar -C "$place/rootfs" -xf "$base"

for path in /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d /etc/apt/keyrings \
    /usr/share/keyrings /etc/pip.conf /etc/hosts /etc/resolv.conf /etc/ssl/certs; do
    [ -e "$path" ] || continue
    mkdir -p "$place/rootfs$(dirname "$path")"
    cp -a --remove-destination "$path" "$place/rootfs$(dirname "$path")/"
done
# Sources of other software are of no use there.
find "$place/rootfs/etc/apt/sources.list.d" -type f | while read -r file; do
    grep -q debian.org "$file" || rm "$file"
done

git clone --quiet "$root" "$place/rootfs/srv/project"
chroot "$place/rootfs" useradd --create-home plain

# Nothing is started by installing it, as in any container.
printf '#!/bin/sh\nexit 101\n' >"$place/rootfs/usr/sbin/policy-rc.d"
chmod +x "$place/rootfs/usr/sbin/policy-rc.d"

settings=("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" TERM=dumb)
while read -r name; do settings+=("$name=${!name}"); done < <(
    compgen -e | grep -E '^(PIP|UV)_|^(SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE)$|_proxy$' || true
)
# In namespaces of its own: its mounts and processes are gone when the command is.
# shellcheck disable=SC2016 # expanded inside
inside() {
    user=$1
    shift
    unshare --mount --pid --fork --kill-child bash -c '
        set -e
        rootfs=$1 user=$2
        shift 2
        home=$(chroot "$rootfs" getent passwd "$user" | cut -d: -f6)
        mount -t proc proc "$rootfs/proc"
        mount --rbind /sys "$rootfs/sys"
        mount --rbind /dev "$rootfs/dev"
        exec chroot --userspec="$user" "$rootfs" env --chdir=/srv/project -i HOME="$home" "$@"
    ' inside "$place/rootfs" "$user" "${settings[@]}" "$@" </dev/null
}

echo "== as a user without rights: make setup must name what is missing"
chroot "$place/rootfs" chown -R plain /srv/project
if inside plain make setup; then
    echo "try-minimal: make setup should have failed" >&2
    exit 1
fi
chroot "$place/rootfs" chown -R root /srv/project

echo "== as root: make setup"
time inside root make setup
for target in "$@"; do
    if [ "$target" = demo ]; then
        echo "== as a user without rights: make demo"
        chroot "$place/rootfs" chown -R plain /srv/project
        time inside plain make demo
        chroot "$place/rootfs" chown -R root /srv/project
    else
        echo "== as root: make $target"
        time inside root make "$target"
    fi
done
echo "== again, when all is there: make setup"
time inside root make setup
