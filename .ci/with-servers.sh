# To be sourced at the top of the tree: starts the real servers in $servers, has the
# tests' environment name them, and stops them when the script ends.
servers=${SERVERS:-.cache/servers}
mkdir -p "$servers"
servers=$(cd "$servers" && pwd)
trap '.ci/servers.sh stop "$servers"' EXIT
environment=$(.ci/servers.sh start "$servers")
while IFS= read -r line; do export "${line?}"; done <<<"$environment"
