#!/bin/sh
# In the manner of launchers of Java servers: links followed by hand, the home found from $0.
PRG="$0"
while [ -h "$PRG" ] ; do
  ls=`ls -ld "$PRG"`
  link=`expr "$ls" : '.*-> \(.*\)$'`
  PRG="$link"
done
HOME_DIR=$(cd "$(dirname "$0")/.." && pwd -P)
[ -r "$HOME_DIR/bin/setenv.sh" ] && . "$HOME_DIR/bin/setenv.sh"
TOOL="$HOME_DIR/bin/tool.sh"
if [ "$1" = stop ]; then
  pkill never
fi
exec "$HOME_DIR/bin/tool.sh" "$@"
