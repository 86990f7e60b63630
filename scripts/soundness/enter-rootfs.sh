#!/bin/bash
# Runs a command in a root file system of our own making, apart from this machine: own mounts, processes, network,
# and none of the capabilities that reach the machine's clock, log, modules or power. What it writes there is lost.
# usage: unshare … enter-rootfs.sh ROOTFS SHARED COMMAND…   (SHARED is /shared inside, and stays)
set -euo pipefail
rootfs=$1 shared=$2
shift 2

# Seen by this process and its children alone.
scratch=/mnt
mount -t tmpfs scratch "$scratch"
mkdir "$scratch"/{upper,work,root}
mount -t overlay rootfs -o "lowerdir=$rootfs,upperdir=$scratch/upper,workdir=$scratch/work" "$scratch/root"
cd "$scratch/root"

mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 dev dev
mkdir dev/{pts,shm,mqueue}
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
mount -t mqueue mqueue dev/mqueue
for node in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
  IFS=: read -r name major minor <<<"$node"
  mknod -m 666 "dev/$name" c "$major" "$minor"
done
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr

hostname soundness
echo soundness >etc/hostname
printf '127.0.0.1 localhost soundness\n::1 ip6-localhost\n' >etc/hosts
# Nothing answers there unless a workload starts a server of its own.
printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n' >etc/resolv.conf
chroot . ip link set lo up
mkdir shared
mount --bind "$shared" shared

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 TERM=xterm
unset TMPDIR
exec chroot . setpriv --bounding-set=-sys_boot,-sys_time,-sys_module,-sys_rawio,-syslog -- "$@" </dev/null
