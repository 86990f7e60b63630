#!/bin/sh
# Builds what an image adds to the minimal root file system of its suite. Runs as the first process of namespaces of its
# own (mount, pid, ipc, uts), so that mounts and processes end with it. What the image's own programs do, they do within
# its root: paths, links and archives are looked up there and nowhere else.
# usage: build-image.sh JOB BASE APT
#   JOB   a directory with what is to be done: packages, debconf, directories-before, directories-after, files.tar,
#         npm.tar, setup, remove, sources; absent ones are skipped. The results are put there: upper/ (the changes of an
#         overlay), installed (packages and versions), and names (all paths of the image, NUL after each).
#   BASE  the root file system of the suite
#   APT   lists/ and cache/ of the suite's apt, shared with all builds of the suite
# shellcheck disable=SC2086,SC2046,SC2016 # words are meant to be split, and dollars to reach another shell
set -eu
# Read to its end before any of it runs: a newer version may take its place meanwhile.
{
job=$1 base=$2 apt=$3
exec 2>&1
here=$(dirname "$0")
phase() { echo "@@ $1" >&3; }

cd "$job"
mkdir -p lower upper work root
# By a bind mount and relative names: the option list of overlays has no room for commas and colons.
mount --bind "$base" lower
mount -t overlay image -o lowerdir=lower,upperdir=upper,workdir=work root || exit 90
cd root

mount -t proc proc proc
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t tmpfs -o mode=755,nosuid dev dev
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev shm dev/shm
for node in null:3 zero:5 full:7 random:8 urandom:9; do
  mknod -m 666 "dev/${node%:*}" c 1 "${node#*:}"
done
mknod -m 666 dev/tty c 5 0
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mount -t tmpfs -o mode=1777,nosuid,nodev tmp tmp
# What packages leave in /run belongs to a running system.
mount -t tmpfs -o mode=755,nosuid,nodev run run
mkdir -m 1777 run/lock
mount --bind "$apt/lists" var/lib/apt/lists
# All of the cache: the archives alone would leave apt's index of them in every layer.
mount --bind "$apt/cache" var/cache/apt
mount --bind "$job/sources" etc/apt/sources.list
hostname build
# All three are taken away below. Some packages fail without a name for this machine.
printf '127.0.0.1 localhost build\n' >etc/hosts
cat /etc/resolv.conf >etc/resolv.conf 2>/dev/null || true
printf '#!/bin/sh\nexit 101\n' >usr/sbin/policy-rc.d
chmod 755 usr/sbin/policy-rc.d

clean='/usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
  LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes'
in_root() { chroot . $clean "$@"; }
# The same without a network.
offline() { unshare --net /bin/sh -c 'ip link set lo up 2>/dev/null; exec "$@"' sh chroot . $clean "$@"; }
make_directories() {
  while read -r owner mode path; do
    in_root install -d -o "$owner" -g "$owner" -m "$mode" "$path"
  done <"$1"
}
unpack() { in_root tar --extract --numeric-owner --preserve-permissions --no-overwrite-dir <"$1"; }
options='-o APT::Sandbox::User=root -o APT::Install-Recommends=false -o Acquire::Retries=3
  -o Acquire::Check-Valid-Until=false -o Acquire::http::Timeout=20 -o Acquire::Languages=none
  -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-unsafe-io'

if [ -s "$job/directories-before" ]; then
  phase files
  make_directories "$job/directories-before"
fi
if [ -s "$job/packages" ]; then
  phase download
  set -- $(cat "$job/packages")
  if [ -s "$job/debconf" ]; then in_root debconf-set-selections <"$job/debconf"; fi
  # One at a time fetches for a suite; what is there already needs no network.
  (
    exec 9>"$apt/lock"
    flock 9
    if [ -e "$job/update" ]; then in_root apt-get $options update; fi
    in_root apt-get $options -qq --yes --download-only install "$@"
  )
  phase packages
  # No locks: nobody else writes to this root, and the archives are only read.
  offline apt-get $options -o Debug::NoLocking=true -qq --yes --no-download install "$@" </dev/null
fi
# Nothing below sees what is shared: a command that empties apt's directories, as many do, empties the image's.
umount etc/apt/sources.list var/cache/apt var/lib/apt/lists run
in_root rm -f /etc/resolv.conf
if [ -e "$job/npm.tar" ]; then
  phase npm
  unpack "$job/npm.tar"
fi
phase files
# Root's once more, for those in /run.
for list in directories-before directories-after; do
  if [ -s "$job/$list" ]; then make_directories "$job/$list"; fi
done
umount tmp
if [ -e "$job/files.tar" ]; then unpack "$job/files.tar"; fi
if [ -s "$job/setup" ]; then
  phase setup
  mount -t tmpfs -o mode=1777,nosuid,nodev tmp tmp
  offline /bin/sh -exc "$(cat "$job/setup")" </dev/null
fi

phase layer
kill -KILL -1 2>/dev/null || true
wait
mountpoint -q tmp && umount tmp
in_root dpkg-query --show --showformat '${Package} ${Version}\n' >"$job/installed"
in_root rm -f /usr/sbin/policy-rc.d /etc/hosts
in_root /bin/sh -eu <"$here/clean-root.sh"
if [ -s "$job/remove" ]; then
  while read -r pattern; do
    in_root /bin/sh -euc 'IFS=; rm -rf -- $1' sh "$pattern"
  done <"$job/remove"
fi
umount dev/shm dev/pts dev sys proc
find . -mindepth 1 -print0 >"$job/names"
cd "$job"
umount root lower
exit 0
}
