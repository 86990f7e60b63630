#!/bin/sh
"${JAVA:-/opt/java/bin/java}" -version
while [ $# -gt 0 ]; do
  case "$1" in
    -*) opts="$opts $1" ;;
    *) rest="$1" ;;
  esac
  shift
done
exec /opt/java/bin/java $opts Main $rest
