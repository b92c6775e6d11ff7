# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # `checkout` is the caller's
# The images that sandboxes are made from.

# True if isol8, run by this user, can speak to Docker.
can_use_docker() {
    ((EUID == 0)) || [[ -n ${DOCKER_HOST:-}${DOCKER_CONTEXT:-} || -w /var/run/docker.sock ]]
}

# Runs the built isol8, with Docker's group through sudo where the user may not use Docker.
isol8() {
    if can_use_docker; then
        "$isol8_program" "$@"
    else
        local as_user
        mapfile -t as_user < <(with_docker_group)
        sudo_keeping "${as_user[@]}" "$isol8_program" "$@"
    fi
}

# Makes the images named by the arguments of `isol8 setup`.
images_set_up() {
    isol8 setup "$@" || {
        say WARN "Trying once more, in case a download was cut off"
        isol8 setup "$@"
    }
}

# images_prepare build|test: the tests want the agent's image beside the usual ones.
images_prepare() {
    if command -v dpkg-query >/dev/null; then
        ensure_packages ca-certificates mmdebstrap debian-archive-keyring
        ((EUID == 0)) || ensure_packages uidmap
    fi
    if ! can_use_docker; then
        say INFO "$USER may not use Docker: isol8 runs through sudo. To change that: sudo usermod -aG docker $USER, then log in again."
    fi
    images_set_up
    [[ $1 != test ]] || images_set_up --runtime agent
}
