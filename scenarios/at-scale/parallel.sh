#!/bin/sh
# A sweep on a few hosts with GNU parallel, or on this one without HOSTS:
#
#   HOSTS=ann,bob,2/: scenarios/at-scale/parallel.sh 8 runs/at-scale scenarios/chaos.yaml 1-10000
#
# HOSTS is parallel's --sshlogin list; `:` is this machine, `2/` limits it to two jobs. Each host needs this folder at the
# same path, with the same program in it (results of different builds are not merged). What comes back is merged here.
set -eu
shards=$1 folder=$2 scenario=$3 seeds=$4
shift 4
top=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$folder"
rest=""
for argument in "$@"; do
  rest="$rest '$(printf %s "$argument" | sed "s/'/'\\\\''/g")'"
done
seq "$shards" | parallel ${HOSTS:+--sshlogin "$HOSTS" --workdir "$PWD" --return "$folder/shard-{}-$shards"} \
  ${KRAFTSIM:+--env KRAFTSIM} --halt never \
  "$top/scenarios/at-scale/shard.sh {}/$shards '$folder' '$scenario' '$seeds'$rest"
exec "${KRAFTSIM:-kraftsim}" merge "$folder"/shard-*-"$shards" --out "$folder/whole" --force
