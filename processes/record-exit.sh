#!/bin/sh
# record-exit.sh EXIT_FILE LAUNCH COMMAND...
# Runs the command and leaves its exit code in a file, so that the code is known to whoever comes later.
exit_file=$1
launch=$2
shift 2

# A signal to the whole session must end the command and not this shell before it has written.
trap '' TERM INT HUP
( trap - TERM INT HUP; exec "$@" )
code=$?

printf '{"launch":"%s","code":%d,"at":%d}\n' "$launch" "$code" "$(date +%s)" >"$exit_file.$$.tmp" &&
  mv "$exit_file.$$.tmp" "$exit_file"
exit "$code"
