/**
 * The guard's program, for any POSIX shell. Input: `+ group start-time cookie`, `- group`. At the end of the input it
 * ends what is still listed: SIGTERM and SIGCONT, two seconds, SIGKILL. It also ends what left its group but carries a
 * listed cookie, and spares a group whose leader is not the process that was listed. All this by `/proc` where it may
 * (`MCP_SUPERVISOR_PROC`, see `platform`), else by `ps`.
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

proc=
[ "$MCP_SUPERVISOR_PROC" != off ] && [ -r /proc/self/stat ] && proc=yes
# Dates are compared as text.
LC_ALL=C; TZ=UTC; export LC_ALL TZ

# Field 22 of stat, counted after the last bracket; a leader that is gone can't have been replaced while its group lives.
reused() {
  [ "$2" != - ] && [ -r "/proc/$1/stat" ] && read -r stat < "/proc/$1/stat" || return 1
  set -- "$2" \${stat##*) }
  [ "\${21}" != "$1" ]
}
groups() {
  [ "$proc" ] || { groups_by_ps; return; }
  for entry in $watched; do
    group=\${entry%%:*}; start=\${entry#*:}; start=\${start%%:*}
    reused "$group" "$start" || echo "$group"
  done
}
escapees() {
  [ "$proc" ] || { escapees_by_ps; return; }
  [ -r /proc/self/environ ] || return
  set --
  for entry in $watched; do set -- "$@" -e "MCP_SUPERVISOR_COOKIE=\${entry##*:}"; done
  for file in $(grep -lsF "$@" /proc/[0-9]*/environ); do file=\${file#/proc/}; echo "\${file%/environ}"; done
}

# The same by ps, asked once for all. What is listed reaches awk without the variable's name: it must not find itself.
groups_by_ps() {
  ps -A -o pid=,lstart= 2>/dev/null | WATCHED="$watched" awk '
    { pid = $1; $1 = ""; gsub(/[^A-Za-z0-9]/, ""); started[pid] = $0 }
    END {
      count = split(ENVIRON["WATCHED"], entries, " ")
      for (at = 1; at <= count; at++) {
        split(entries[at], part, ":")
        if (part[2] == "-" || !(part[1] in started) || started[part[1]] == part[2]) print part[1]
      }
    }'
}
# Apple's ps wants -E for the environment behind the command, others e; what they don't know they refuse.
environments() {
  ps -axEww -o pid=,command= 2>/dev/null || ps axeww -o pid=,command= 2>/dev/null
}
escapees_by_ps() {
  environments | WATCHED="$watched" awk '
    BEGIN {
      mark = " MCP_SUPERVISOR_COOKIE="
      count = split(ENVIRON["WATCHED"], entries, " ")
      for (at = 1; at <= count; at++) { split(entries[at], part, ":"); wanted[part[3]] = 1 }
    }
    {
      rest = $0
      while ((at = index(rest, mark)) > 0) {
        rest = substr(rest, at + length(mark))
        cookie = rest
        sub(/ .*/, "", cookie)
        if (cookie in wanted) { print $1; break }
      }
    }'
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
