#!/bin/sh
# Plays one shard of a sweep: shard.sh I/N FOLDER SCENARIO SEEDS [further arguments of `kraftsim sweep`].
#
# Its page is in FOLDER/shard-I-N/summary.json. Begun again after it was killed, it plays only what its folder lacks. That a run failed is a result, not a failure of the
# job: it ends with 0 whenever the shard was played, so that schedulers do not repeat it.
set -u
shard=$1 folder=$2 scenario=$3 seeds=$4
shift 4
"${KRAFTSIM:-kraftsim}" sweep "$scenario" --seeds "$seeds" --shard "$shard" --out "$folder/shard-$(echo "$shard" | tr / -)" \
  --resume --quiet --jobs "${JOBS:-1}" "$@" >/dev/null
code=$?
case $code in
  0 | 1 | 3) exit 0 ;; # all held; some failed; some were inconclusive
  *) exit $code ;;
esac
