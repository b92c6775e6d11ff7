# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # `checkout` is the caller's
# A Docker daemon that answers: the running one, else one that is installed and started here.

declare -r docker_socket=/var/run/docker.sock
declare -r docker_second_socket=/run/isol8-attacks.sock
declare -r docker_log=/var/log/isol8-dockerd.log

# True if a daemon answers on the socket. perl-base is part of every Debian, the docker client is not.
docker_answers() {
    local runner=(as_root)
    [[ -S $1 ]] || return 1
    [[ ! -w $1 ]] || runner=()
    # shellcheck disable=SC2016 # Perl's variables
    "${runner[@]}" perl -MIO::Socket::UNIX -e '
        alarm 10;
        my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or exit 1;
        print $s "GET /_ping HTTP/1.0\r\n\r\n";
        my $answer = <$s>;
        exit(($answer // "") =~ m{^HTTP/1\.[01] 200} ? 0 : 1)' "$1"
}

docker_prepare() {
    if [[ -n ${DOCKER_HOST:-}${DOCKER_CONTEXT:-} ]]; then
        say INFO "Using the Docker of ${DOCKER_HOST:-the context $DOCKER_CONTEXT}"
        return
    fi
    ! docker_answers "$docker_socket" || return 0
    command -v dockerd >/dev/null || docker_install
    if [[ -d /run/systemd/system ]]; then
        as_root systemctl start docker ||
            fail "systemd cannot start docker; see: journalctl -u docker"
        docker_wait "$docker_socket" '' 60 || fail "Docker was started by systemd, but does not answer."
        return
    fi
    ! docker_start_by_hand || return 0
    fail "dockerd does not start; its log is $docker_log"
}

docker_install() {
    ensure_packages ca-certificates docker.io
    # Debian 13 has the client, which isol8 does not need but people do, in a package of its own.
    if [[ -n $(apt-cache search --names-only '^docker-cli$') ]]; then
        ensure_packages docker-cli
    fi
}

# Starts dockerd where no init system does it: first as it is, then without what a small machine's
# kernel may lack. isol8's own containers need neither bridge nor iptables.
docker_start_by_hand() {
    local flags
    docker_mount_cgroups
    for flags in '' '--iptables=false --ip6tables=false' '--iptables=false --ip6tables=false --bridge=none'; do
        # One that is still starting up: of another script, or of the package's installation.
        ! docker_is_running || ! docker_wait "$docker_socket" '' 60 || return 0
        [[ -z $flags ]] || say INFO "Trying again with $flags"
        # shellcheck disable=SC2086 # the flags are words
        if docker_launch "$docker_socket" "$docker_log" $flags; then
            return 0
        fi
    done
    return 1
}

# A second daemon, which nothing but the attacks of the tests uses: they look at all that their daemon has,
# so no other test may run beside them on the same one.
docker_second_prepare() {
    docker_answers "$docker_second_socket" ||
        docker_launch "$docker_second_socket" /var/log/isol8-dockerd-attacks.log \
            --data-root /var/lib/isol8-attacks --exec-root /run/isol8-attacks \
            --pidfile /run/isol8-attacks.pid --iptables=false --ip6tables=false --bridge=none
}

# docker_launch SOCKET LOG [dockerd arguments]: starts a daemon that outlives this script and waits
# until it answers. False if it ended, with the end of its log.
docker_launch() {
    local socket=$1 log=$2 pid
    shift 2
    # HUP: the terminal may be closed before setsid has made it a session of its own. A daemon keeps what
    # it inherits, so it gets no descriptor of this script's.
    # shellcheck disable=SC2016 # the inner shell's variables
    pid=$(as_root bash -c '
        trap "" HUP
        for fd in /proc/$$/fd/*; do
            ((${fd##*/} <= 2)) || eval "exec ${fd##*/}>&-"
        done
        setsid dockerd "${@:2}" >>"$1" 2>&1 </dev/null & echo $!' \
        _ "$log" --host "unix://$socket" "$@")
    docker_wait "$socket" "$pid" 60 && return 0
    as_root tail -n 15 "$log" >&2
    as_root kill "$pid" 2>/dev/null || true
    return 1
}

docker_is_running() {
    local pid=''
    [[ ! -r /var/run/docker.pid ]] || pid=$(</var/run/docker.pid)
    [[ -n $pid && $(cat "/proc/$pid/comm" 2>/dev/null) == dockerd ]]
}

# docker_wait SOCKET PID SECONDS: waits for an answer, while process PID lives if one is named.
docker_wait() {
    local end=$((SECONDS + $3))
    while ((SECONDS < end)); do
        ! docker_answers "$1" || return 0
        [[ -z $2 || -d /proc/$2 ]] || return 1
        sleep 0.2
    done
    return 1
}

# A machine without an init system may come without control groups.
docker_mount_cgroups() {
    mountpoint -q /sys/fs/cgroup || as_root mount -t cgroup2 cgroup2 /sys/fs/cgroup
}
