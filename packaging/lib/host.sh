# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # `checkout` is the caller's
# The machine the scripts run on: administrator rights, packages, directories.

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

as_root() {
    if ((EUID == 0)); then
        "$@"
    else
        command -v sudo >/dev/null || fail "This needs root: run it as root, or install sudo."
        sudo "$@"
    fi
}

# For a user: CMD as this user with Docker's group, through sudo, as `sudo_keeping` runs it.
with_docker_group() {
    local groups docker_group
    groups=$(id -G | tr ' ' ,)
    docker_group=$(getent group docker | cut -d: -f3)
    printf '%s\n' setpriv --reuid "$(id -u)" --regid "$(id -g)" \
        --groups "$groups${docker_group:+,$docker_group}" --inh-caps=-all --ambient-caps=-all
}

# sudo CMD… with those variables kept that matter here; sudo clears the environment.
sudo_keeping() {
    local name kept=()
    for name in $(compgen -e); do
        case $name in
            HOME | USER | TERM | CI | NO_COLOR | LANG | LC_* | XDG_* | ISOL8_* | DOCKER_* | SSL_CERT_* | CCACHE_* | \
                CMAKE_* | CTEST_* | *_proxy | *_PROXY) kept+=("$name=${!name}") ;;
        esac
    done
    sudo env "${kept[@]}" "$@"
}

# Where toolchain roots and compiled objects are kept between calls and between checkouts.
cache_directory() {
    if [[ -n ${ISOL8_CACHE_DIR:-} ]]; then
        printf '%s' "$ISOL8_CACHE_DIR"
    elif ((EUID == 0)); then
        printf '/var/cache/isol8'
    else
        printf '%s' "${XDG_CACHE_HOME:-$HOME/.cache}/isol8"
    fi
}

is_installed() {
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# The package names of a list: one a line, # begins a comment.
packages_of() { sed -e 's/#.*//' "$@" | tr -s '[:space:]' '\n' | sed '/^$/d'; }

missing_packages() {
    local package
    for package in "$@"; do
        is_installed "$package" || printf '%s\n' "$package"
    done
}

# Installs those of the packages that are not there; apt is not started when none is missing.
ensure_packages() {
    local missing
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null || fail "Please install: ${missing[*]} (there is no apt here)."
    say INFO "Installing ${missing[*]}"
    update_package_lists
    quietly as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300 \
        install -y --no-install-recommends "${missing[@]}"
}

# At most once a call of the scripts: a stale list names packages that the mirror no longer has.
update_package_lists() {
    [[ -z ${isol8_lists_updated:-} ]] || return 0
    quietly as_root apt-get -o Acquire::Retries=5 -o DPkg::Lock::Timeout=300 update
    isol8_lists_updated=1
}
