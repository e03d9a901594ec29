/**
 * The guard's program, for any POSIX shell. Input: `+ group start-time cookie`, `- group`. At the end of the input it
 * ends what is still listed: SIGTERM and SIGCONT, two seconds, SIGKILL. Where there is `/proc` it also ends what left
 * its group but carries a listed cookie, and spares a group whose leader is not the process that was listed.
 */
export const GUARD_SCRIPT = `
trap '' HUP INT QUIT TERM
watched=' '
while read -r op group start cookie; do
  case "$watched" in
    *" $group:"*) rest=\${watched#*" $group:"}; watched="\${watched%%" $group:"*} \${rest#* }" ;;
  esac
  [ "$op" = + ] && watched="$watched$group:$start:$cookie "
done
[ "$watched" = ' ' ] && exit 0

# Field 22 of stat, counted after the last bracket; a leader that is gone can't have been replaced while its group lives.
reused() {
  [ "$2" != - ] && [ -r "/proc/$1/stat" ] && read -r stat < "/proc/$1/stat" || return 1
  set -- "$2" \${stat##*) }
  [ "\${21}" != "$1" ]
}
groups() {
  for entry in $watched; do
    group=\${entry%%:*}; start=\${entry#*:}; start=\${start%%:*}
    reused "$group" "$start" || echo "$group"
  done
}
escapees() {
  [ -r /proc/self/environ ] || return
  set --
  for entry in $watched; do set -- "$@" -e "MCP_SUPERVISOR_COOKIE=\${entry##*:}"; done
  for file in $(grep -lsF "$@" /proc/[0-9]*/environ); do file=\${file#/proc/}; echo "\${file%/environ}"; done
}
signal() {
  for group in $(groups); do kill -s "$1" -- "-$group"; done
  for pid in $(escapees); do kill -s "$1" "$pid"; done
}
some_left() {
  for group in $(groups); do kill -s 0 -- "-$group" && return 0; done
  [ -n "$(escapees)" ]
}

signal TERM
signal CONT
looks=0
while [ $looks -lt 20 ] && some_left; do sleep 0.1 || sleep 1; looks=$((looks + 1)); done
# Twice: what was forked while the first round ran is met by the second.
signal KILL
sleep 0.1 || sleep 1
signal KILL
`;
