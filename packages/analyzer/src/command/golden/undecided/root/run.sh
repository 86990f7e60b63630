#!/bin/dash
# Everything here is decided at run time, and must be told with its line.
"$SERVER" --foreground
eval "$(cat /etc/commands)"
. "/etc/conf.d/$(hostname)"
$PREFIX redis-server
sh -c "$LINE"
missing-program --x
[ "$X" = 1 ] && su postgres
xargs -a /list "$(cat tool)"
cat /x | sh
