# Runs the functions in containers with `sam local`: every file of events/ and every
# route.

# Built here from Debian packages, because the official image would come from a registry.
LAMBDA_IMAGE=trawl-lambda:al2023
# The token and the ports below are those of local/sam-local.json.
SAM_DATABASE_TOKEN=trawl-development-token

step_containers() {
    use_tools
    start_docker || {
        note "skipped: no Docker daemon runs here, and none can be started"
        return 0
    }
    local triple=x86-64 architecture=x86_64 address template
    [[ $(uname -m) != aarch64 ]] || triple=arm64 architecture=arm64
    build_for "$triple"
    cargo build --workspace --locked
    make_lambda_image

    template=$CARGO_TARGET_DIR/ci/built.template.yaml
    "$venv/bin/python" .ci/built.py template.yaml "$CARGO_TARGET_DIR/lambda/$triple" > "$template"
    # Override the values that samconfig.toml sets for interactive use.
    local words=(
        --template-file "$template" --config-file "$PWD/samconfig.toml"
        --skip-pull-image --invoke-image "$LAMBDA_IMAGE"
        --parameter-overrides "Architecture=$architecture"
    )
    # The address that containers use for this machine.
    address=$(docker run --rm --add-host host.docker.internal:host-gateway "$LAMBDA_IMAGE" \
        busybox awk '$2 == "host.docker.internal" { print $1 }' /etc/hosts)
    start upstash-local "$bin/upstash-local" --listen "$address:8079" --memory \
        --host-name host.docker.internal --token "$SAM_DATABASE_TOKEN"
    start discord-local "$bin/discord-local" --listen "$address:8078" \
        --host-name host.docker.internal
    wait_until upstash-local 20 listens 8079 "$address"
    wait_until discord-local 20 listens 8078 "$address"
    local port=${CI_API_PORT:-3901}
    require_free "$port"
    start api sam local start-api --port "$port" "${words[@]}"
    wait_until api 60 listens "$port"

    "$venv/bin/python" .ci/events.py sam "http://127.0.0.1:$port" "http://$address:8079" \
        "$SAM_DATABASE_TOKEN" "$process_logs/api.log" "$template" "${words[@]}"

    # This also stops its containers.
    stop api || true
    stop discord-local INT
    stop upstash-local
    stop_docker
}

# Starts a Docker daemon if none is running. It runs next to the machine's own daemon and
# without its firewall, so that containers can reach this machine but nothing else.
start_docker() {
    ! docker info > /dev/null 2>&1 || return 0
    [[ $(id -u) == 0 ]] || return 1
    (install_package dockerd docker.io) || return 1
    # Socket paths must be short.
    docker_folder=$(mktemp -d /tmp/trawl-docker.XXXXXX)
    docker_data=$CARGO_TARGET_DIR/ci/docker
    rm -rf "$docker_data"
    at_exit+=(stop_docker)
    had_bridge=$(ls -d /sys/class/net/docker0 2> /dev/null || true)
    start dockerd dockerd --host "unix://$docker_folder/docker.sock" \
        --data-root "$docker_data" --exec-root "$docker_folder/exec" \
        --pidfile "$docker_folder/pid" --iptables=false --ip6tables=false \
        --log-level warn
    export DOCKER_HOST=unix://$docker_folder/docker.sock
    local until=$((SECONDS + 30))
    until docker info > /dev/null 2>&1; do
        if ! is_running dockerd || ((SECONDS >= until)); then
            tail -n 5 "$process_logs/dockerd.log" >&2
            stop_docker
            return 1
        fi
        sleep 0.2
    done
}

# Removes everything from our own daemon; from any other daemon only the image.
stop_docker() {
    if [[ -z ${docker_folder:-} ]]; then
        # SAM derives an image from ours with the same name and another tag.
        docker image ls --quiet "${LAMBDA_IMAGE%:*}" 2> /dev/null \
            | xargs --no-run-if-empty docker image rm --force > /dev/null 2>&1 || true
        return
    fi
    docker ps --all --quiet 2> /dev/null \
        | xargs --no-run-if-empty docker rm --force > /dev/null 2>&1 || true
    stop dockerd || true
    rm -rf "$docker_folder" "$docker_data"
    [[ -n $had_bridge ]] || ip link delete docker0 2> /dev/null || true
    unset DOCKER_HOST docker_folder
}

# The image that SAM adds its emulator to. It contains what an executable linked against
# glibc needs, and a shell for the commands that SAM adds.
make_lambda_image() {
    local folder name packages=(busybox-static libc6 libgcc-s1 ca-certificates)
    folder=$(mktemp -d "$CARGO_TARGET_DIR/ci/image.XXXXXX")
    chmod 755 "$folder"
    (
        cd "$folder"
        # A new machine has no package lists yet.
        apt-get download -q "${packages[@]}" || {
            apt-get update -q
            apt-get download -q "${packages[@]}"
        } || exit 1
        for name in *.deb; do
            dpkg-deb --extract "$name" root || exit 1
        done
    ) > "$process_logs/image.log" 2>&1 || fail "no image: $(tail -n 5 "$process_logs/image.log")"
    (
        cd "$folder/root"
        rm -rf usr/share/{doc,lintian,man}
        # Later releases move everything into usr and have these links in another package.
        for name in bin lib lib64; do
            [[ -e $name || ! -e usr/$name ]] || ln -s "usr/$name" "$name"
        done
        mkdir -p tmp var/{task,runtime,rapid} etc/pki/tls/certs
        chmod 1777 tmp
        for name in sh mv chmod; do
            ln -s busybox "bin/$name"
        done
        find usr/share/ca-certificates -name '*.crt' -exec cat {} + \
            > etc/pki/tls/certs/ca-bundle.crt
        echo 'hosts: files dns' > etc/nsswitch.conf
    )
    tar --create --directory "$folder/root" --owner 0 --group 0 --numeric-owner . \
        | docker import --change 'WORKDIR /var/task' --change 'ENV PATH=/usr/bin:/bin' \
            --change 'ENV LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime' \
            - "$LAMBDA_IMAGE"
    rm -rf "$folder"
}
