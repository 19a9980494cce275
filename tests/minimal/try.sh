#!/usr/bin/env bash
# Tries the last commit on a minimal Debian that has git, make and python3 alone. Needs root.
#
#   tests/minimal/try.sh [target ...]     make targets to run there; default: setup
#
# First as a user without rights, who must be told what is missing; then as root. The machine's own package sources,
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
    mmdebstrap --quiet --mode=root --variant=minbase --include=ca-certificates,git,make,python3 "$suite" "$base.new"
    mv "$base.new" "$base"
fi
mkdir "$place/rootfs"
tar -C "$place/rootfs" -xf "$base"

for path in /etc/apt/sources.list /etc/apt/sources.list.d /etc/apt/apt.conf.d /etc/apt/keyrings \
    /usr/share/keyrings /etc/pip.conf /etc/hosts /etc/ssl/certs; do
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

settings=(--setenv=LANG=)
while read -r name; do settings+=("--setenv=$name=${!name}"); done < <(
    compgen -e | grep -E '^(PIP|UV)_|^(SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE)$|_proxy$' || true
)
inside() {
    systemd-nspawn --quiet --pipe --register=no --keep-unit --resolv-conf=replace-host "${settings[@]}" \
        --directory="$place/rootfs" --chdir=/srv/project "$@" </dev/null
}

echo "== as a user without rights: make setup must name what is missing"
chroot "$place/rootfs" chown -R plain /srv/project
if inside --user=plain make setup; then
    echo "try-minimal: make setup should have failed" >&2
    exit 1
fi
chroot "$place/rootfs" chown -R root /srv/project

for target in "${@:-setup}"; do
    echo "== as root: make $target"
    time inside make "$target"
done
echo "== again: make setup"
time inside make setup
