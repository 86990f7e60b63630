#!/bin/sh
# Makes the minimal root file system of a suite. Runs in a mount namespace of its own.
# usage: build-base.sh SUITE TARGET APT SOURCES OPTION…
#   TARGET   a directory that is to be made
#   APT      lists/ and cache/ of the suite's apt, shared with all builds of the suite
#   SOURCES  its package sources, as in sources.list(5)
set -eu
# Read to its end before any of it runs: a newer version may take its place meanwhile.
{
exec 2>&1
here=$(dirname "$0")
suite=$1 target=$2 apt=$3 sources=$4
shift 4
export APT_SHARED="$apt"

# One at a time fetches for a suite.
exec 9>"$apt/lock"
flock 9
# shellcheck disable=SC2016
mmdebstrap --mode=root --variant=minbase --format=directory --architectures=amd64 \
  '--aptopt=APT::Install-Recommends "false"' \
  '--aptopt=Acquire::Retries "3"' \
  '--dpkgopt=path-exclude=/usr/share/doc/*' \
  '--dpkgopt=path-exclude=/usr/share/man/*' \
  '--dpkgopt=path-exclude=/usr/share/locale/*' \
  --setup-hook='mkdir -p "$1/var/lib/apt/lists" "$1/var/cache/apt"' \
  --setup-hook='mount --bind "$APT_SHARED/lists" "$1/var/lib/apt/lists"' \
  --setup-hook='mount --bind "$APT_SHARED/cache" "$1/var/cache/apt"' \
  --skip=essential/unlink --skip=cleanup/apt/lists --skip=cleanup/apt/cache \
  "$@" "$suite" "$target" "$sources"

cd "$target"
# First of all: what is removed below must not be what is shared.
for place in var/lib/apt/lists var/cache/apt; do
  if mountpoint -q "$place"; then umount "$place"; fi
done
rm -f etc/hostname etc/resolv.conf
find dev -xdev -mindepth 1 -delete
rm -rf --one-file-system var/lib/apt/lists var/cache/apt
mkdir -p var/lib/apt/lists/partial var/cache/apt/archives/partial
chmod 700 var/lib/apt/lists/partial var/cache/apt/archives/partial
chroot . chown _apt /var/lib/apt/lists/partial /var/cache/apt/archives/partial
# What is excluded above is taken for granted by the scripts of some packages, Java's among them.
for section in 1 2 3 4 5 6 7 8; do mkdir -p "usr/share/man/man$section"; done
chroot . /bin/sh -eu <"$here/clean-root.sh"
chroot . sh -c 'dpkg-query --show --showformat "\${Package} \${Version}\n"' >"$target.packages"
exit 0
}
