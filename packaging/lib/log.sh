# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # `checkout` is the caller's
# What the scripts say: one line when a step starts, one with its duration when it has ended. All of
# it goes to stderr, so that stdout carries nothing but the output of the job itself.

say() { printf '[%s] %s\n' "$1" "$2" >&2; }

fail() {
    say ERR "$1"
    exit 1
}

# Microseconds since the epoch, without starting a program.
now_us() { printf '%s' "${EPOCHREALTIME/[.,]/}"; }

seconds_since() {
    local us=$(($(now_us) - $1))
    printf '%d.%02d s' $((us / 1000000)) $((us % 1000000 / 10000))
}

# step "Doing this" CMD…: runs CMD with its output on stderr.
step() {
    local start
    start=$(now_us)
    step_title=$1
    shift
    say '..' "$step_title"
    "$@" >&2
    say OK "$step_title: $(seconds_since "$start")"
    step_title=''
}

# For the EXIT trap: names the step that the script ended in.
say_where_it_ended() {
    [[ -z ${step_title:-} ]] || say ERR "$step_title: failed"
}

# quietly CMD…: keeps CMD's output in a file of build/log and shows its end when CMD fails.
quietly() {
    local log status=0
    mkdir -p "$checkout/build/log"
    log=$(mktemp "$checkout/build/log/${1##*/}.XXXXXX")
    "$@" </dev/null >"$log" 2>&1 || status=$?
    if ((status != 0)); then
        tail -n 60 "$log" >&2
        say INFO "The whole output is in $log"
        return "$status"
    fi
    rm -f "$log"
}
